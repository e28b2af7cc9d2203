"""Chapter 07: torch counts, torchvision's blocks answer; mistakes bend what they say."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from utils import models
from utils.checks.answer import Answer, Mistake

# ── multiply_adds ────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1):
    """Half of the operations that torch counts in a real layer."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        layer = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=False)
        layer(torch.empty(1, in_channels, height, width))
    return counter.get_total_flops() // 2


def convolved(height, width, kernel_size, stride):
    """How many numbers a real layer of one channel gives, without padding."""
    with torch.device("meta"):
        return nn.Conv2d(1, 1, kernel_size, stride)(torch.empty(1, 1, height, width)).numel()


def bent(**change):
    """torch's count for other settings; each is a function of all of them."""

    def target(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1):
        given = {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size}
        given |= {"height": height, "width": width, "stride": stride, "padding": padding, "groups": groups}
        return counted(**given | {name: other(given) for name, other in change.items()})

    return target


def scaled(change):
    """What is made of torch's count: change(count, positions, settings)."""

    def target(in_channels, out_channels, kernel_size, height, width, stride=1, padding=0, groups=1):
        right = counted(in_channels, out_channels, kernel_size, height, width, stride, padding, groups)
        places = convolved(height + 2 * padding, width + 2 * padding, kernel_size, stride)
        given = {"in": in_channels, "out": out_channels, "k": kernel_size, "h": height, "w": width}
        return int(change(right, places, given | {"s": stride, "p": padding, "g": groups}))

    return target


def placed(change):
    """torch's count for another number of positions: change(height, width, kernel_size, stride, padding)."""
    return scaled(lambda right, places, of: right // places * change(of["h"], of["w"], of["k"], of["s"], of["p"]))


PRODUCTS = (
    Mistake(
        "multiplications and additions",
        "you count multiplications and additions apart, so everything twice. A multiply-add is one of each; what is "
        "called FLOPs is sometimes the one, sometimes the other.",
        "how many products has a 1×1 convolution of one channel on one pixel?",
        "one multiply-add for each weight and place.",
        scaled(lambda right, *_: 2 * right),
    ),
    Mistake(
        "at every input pixel",
        "you count a window at each pixel of the *input*; windows stand only where the output has a pixel.",
        "how many numbers has an output channel?",
        "the output's height and width, by chapter 02's formula.",
        placed(lambda h, w, k, s, p: h * w),
    ),
    Mistake(
        "once, not at every position",
        "you count the weights. Each is multiplied again at every position: sharing saves parameters, not work.",
        "is a large picture as quick as a small one?",
        "times the number of output positions.",
        scaled(lambda right, places, of: right // places),
    ),
    Mistake(
        "input channels left out",
        "each filter extends through all channels that it sees; you count one.",
        "how many weights has a single 3×3 filter on an RGB picture?",
        "times in_channels, divided by groups.",
        scaled(lambda right, places, of: right * of["g"] // of["in"]),
    ),
    Mistake(
        "filters left out",
        "you count one filter; there are out_channels of them.",
        "what does the layer do twice as often with twice as many filters?",
        "times out_channels.",
        scaled(lambda right, places, of: right // of["out"]),
    ),
    Mistake(
        "kernel not squared",
        "kernel_size counts the rows, and there are as many columns.",
        "how many weights has a 3×3 kernel?",
        "kernel_size².",
        scaled(lambda right, places, of: right // of["k"]),
    ),
    Mistake(
        "padding forgotten",
        "you forget padding, so the output is too small.",
        "a 3×3 kernel with padding 1: how large is the output?",
        "padding counts on both sides.",
        bent(padding=lambda of: 0),
    ),
    Mistake(
        "padding on one side",
        "padding is added on both sides; you add it once.",
        "a 3×3 kernel with padding 1 keeps the size. Does yours?",
        "2 · padding.",
        placed(lambda h, w, k, s, p: convolved(h + p, w + p, k, s)),
    ),
    Mistake(
        "stride forgotten",
        "you count windows at every pixel; with a stride of 2 only every second one in each direction is there.",
        "what does stride=2 do to height, and to the number of windows?",
        "divide before you add 1.",
        bent(stride=lambda of: 1),
    ),
    Mistake(
        "rounded up",
        "where the stride does not fit, you round up: the last window would reach over the edge.",
        "7 pixels, kernel 2, stride 3: how many windows?",
        "`//` rounds down.",
        placed(lambda h, w, k, s, p: nn.MaxPool2d(k, s, ceil_mode=True)(torch.empty(1, h + 2 * p, w + 2 * p)).numel()),
    ),
    Mistake(
        "groups forgotten",
        "you let each filter see all channels; with groups it sees only those of its group.",
        "what is the shape of a depthwise layer's weight?",
        "in_channels / groups channels for each filter.",
        bent(groups=lambda of: 1),
    ),
    Mistake(
        "groups twice",
        "you divide by groups twice: for the input and for the filters. There are still out_channels filters.",
        "how many channels come out?",
        "divide once.",
        scaled(lambda right, places, of: right // of["g"]),
    ),
    Mistake(
        "bias counted",
        "you count the bias at each position; a bias is added, not multiplied, and is left out.",
        "what does your function say for one channel and a 1×1 kernel on one pixel?",
        "leave the + 1 out.",
        scaled(lambda right, places, of: right + places * of["out"]),
    ),
    Mistake(
        "height for both",
        "you take the output's height for its width as well; pictures need not be square.",
        "try height=5, width=7.",
        "one factor for each direction.",
        bent(width=lambda of: of["height"]),
    ),
)

# ── inception ────────────────────────────────────────────────────────────────────────────────────────────────────────


def conv(inputs, outputs, kernel_size, **settings):
    """A convolution that keeps height and width, and a ReLU."""
    return models.architectures.with_relu(
        inputs, outputs, kernel_size=kernel_size, padding=kernel_size // 2, **settings
    )


def changed(change):
    """torchvision's block after `change(block, in_channels, n1, n3_reduce, n3, n5_reduce, n5, pool)`."""

    def target(*sizes):
        block = models.inception(*sizes)
        return change(block, *sizes) or block

    return target


class Reordered(nn.Module):
    """A block whose branches come out in another order."""

    def __init__(self, block, sizes, order):
        super().__init__()
        self.block, self.sizes, self.order = block, sizes, order

    def forward(self, x):
        parts = self.block(x).split(self.sizes, 1)
        return torch.cat([parts[i] for i in self.order], 1)


def without_relu(*where):
    """The convolutions of some places, 0 the reductions, 1 the last of a branch, lose their ReLU."""

    def change(block, *sizes):
        for branch in (block.branch2, block.branch3):
            for place in where:
                branch[place][1] = nn.Identity()
        if 1 in where:
            block.branch1[1] = block.branch4[1][1] = nn.Identity()

    return changed(change)


def replaced(branch, make):
    """One of the branches, made anew from all sizes."""
    return changed(lambda block, *sizes: setattr(block, branch, make(*sizes)))


def no_reductions(block, c, n1, r3, n3, r5, n5, pool):
    block.branch2, block.branch3 = conv(c, n3, 3), conv(c, n5, 5)


def reductions_behind(block, c, n1, r3, n3, r5, n5, pool):
    block.branch2 = nn.Sequential(conv(c, r3, 3), conv(r3, n3, 1))
    block.branch3 = nn.Sequential(conv(c, r5, 5), conv(r5, n5, 1))


def torchvisions(*sizes):
    from torchvision.models.googlenet import Inception

    return Inception(*sizes)


class Biasless(nn.Module):
    """The block, its biases 0 and no parameters."""

    def __init__(self, *sizes):
        super().__init__()
        self.block = models.inception(*sizes)
        for part in self.block.modules():
            if isinstance(part, nn.Conv2d):
                part.bias = None

    def forward(self, x):
        return self.block(x)


class Stacked(nn.Module):
    """The branches one behind the other."""

    def __init__(self, c, n1, r3, n3, r5, n5, pool):
        super().__init__()
        pooling = nn.MaxPool2d(3, 1, padding=1)
        parts = conv(c, n1, 1), conv(n1, r3, 1), conv(r3, n3, 3), conv(n3, r5, 1), conv(r5, n5, 5), pooling
        self.layers = nn.Sequential(*parts, conv(n5, pool, 1))

    def forward(self, x):
        return self.layers(x)


INCEPTION = (
    Mistake(
        "3×3 for 5×5",
        "your third branch has a 3×3 kernel. You are in good company: torchvision's GoogLeNet has the same mistake "
        "and keeps it, because its weights were trained with it.",
        "how many weights has a 5×5 kernel?",
        "kernel_size=5 needs padding=2.",
        replaced("branch3", lambda c, n1, r3, n3, r5, n5, pool: nn.Sequential(conv(c, r5, 1), conv(r5, n5, 3))),
    ),
    Mistake(
        "no reductions",
        "your 3×3 and 5×5 convolutions see all channels: that is the naive block. The 1×1 reductions before them are "
        "what makes it affordable.",
        "what are n3_reduce and n5_reduce for?",
        "two convolutions in each of these branches: 1×1 to few channels, then the large kernel.",
        changed(no_reductions),
    ),
    Mistake(
        "reduced behind",
        "your 1×1 convolutions stand *behind* the large kernels, which then still see all channels: nothing is saved.",
        "how many channels does the 3×3 kernel see?",
        "the 1×1 comes first.",
        changed(reductions_behind),
    ),
    Mistake(
        "reductions swapped",
        "n3_reduce and n5_reduce are swapped.",
        "which branch gets which?",
        "n3_reduce channels go into the 3×3 kernel, n5_reduce into the 5×5.",
        lambda c, n1, r3, n3, r5, n5, pool: models.inception(c, n1, r5, n3, r3, n5, pool),
    ),
    Mistake(
        "pooling without 1×1",
        "your pooling branch gives all channels of the input; a 1×1 convolution behind it makes `pool` of them.",
        "how many channels come out of a pooling?",
        "pooling, then 1×1.",
        changed(lambda block, *sizes: setattr(block, "branch4", block.branch4[0])),
    ),
    Mistake(
        "pooling behind the 1×1",
        "you pool what the 1×1 convolution made; the input is pooled first.",
        "in which order do the two stand in the drawing?",
        "pooling, then 1×1.",
        changed(lambda block, *sizes: setattr(block, "branch4", block.branch4[::-1])),
    ),
    Mistake(
        "mean pooling",
        "your pooling takes means; GoogLeNet's block takes the largest.",
        "which layer takes the largest?",
        "nn.MaxPool2d(3, stride=1, padding=1).",
        changed(lambda block, *sizes: block.branch4.__setitem__(0, nn.AvgPool2d(3, 1, padding=1))),
    ),
    Mistake(
        "no pooling",
        "your fourth branch does not pool.",
        "which branches does the block have?",
        "3×3 max pooling of stride 1 before the last 1×1.",
        changed(lambda block, *sizes: block.branch4.__setitem__(0, nn.Identity())),
    ),
    Mistake(
        "no ReLU",
        "no ReLU anywhere: convolutions on convolutions are one convolution (chapter 03).",
        "what stands behind every convolution?",
        "six ReLUs.",
        without_relu(0, 1),
    ),
    Mistake(
        "no ReLU behind the reductions",
        "nothing non-linear stands between the 1×1 reduction and the large kernel: together they are one convolution.",
        "what stands behind *every* convolution?",
        "a ReLU behind each of the six.",
        without_relu(0),
    ),
    Mistake(
        "no ReLU at the end",
        "the branches end without a ReLU.",
        "can your block's output be negative?",
        "a ReLU behind each of the six convolutions.",
        without_relu(1),
    ),
    Mistake(
        "pooling first",
        "your branches come out in another order: pooling first. The next block's weights rely on the order.",
        "in which order do n1, n3, n5 and pool stand in the signature?",
        "torch.cat of 1×1, 3×3, 5×5, pool.",
        lambda c, n1, r3, n3, r5, n5, pool: Reordered(
            models.inception(c, n1, r3, n3, r5, n5, pool), [n1, n3, n5, pool], (3, 0, 1, 2)
        ),
    ),
    Mistake(
        "5×5 before 3×3",
        "the 5×5 branch comes out before the 3×3 branch.",
        "in which order do n1, n3, n5 and pool stand in the signature?",
        "torch.cat of 1×1, 3×3, 5×5, pool.",
        lambda c, n1, r3, n3, r5, n5, pool: Reordered(
            models.inception(c, n1, r3, n3, r5, n5, pool), [n1, n3, n5, pool], (0, 2, 1, 3)
        ),
    ),
    Mistake(
        "one behind the other",
        "your branches stand one behind the other; they all start from the input, side by side.",
        "how many channels come out of your block?",
        "four results from the same x, joined along the channels.",
        Stacked,
    ),
    Mistake(
        "batch norm",
        "your block has batch norm, as torchvision's has. GoogLeNet of 2014 had none: batch norm is of 2015.",
        "which parameters has your block beside weights and biases?",
        "convolution and ReLU, nothing else.",
        torchvisions,
    ),
    Mistake(
        "no biases",
        "your convolutions have no bias. Leave that to layers with batch norm behind them.",
        "what is nn.Conv2d's default?",
        "bias=True.",
        Biasless,
    ),
)

# ── residual_block ───────────────────────────────────────────────────────────────────────────────────────────────────


def rewired(forward):
    """torchvision's block with another way through it: forward(block, x, shortcut)."""

    class Rewired(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.block = models.residual(in_channels, out_channels, stride)

        def forward(self, x):
            shortcut = x if self.block.downsample is None else self.block.downsample(x)
            return forward(self.block, x, shortcut)

    return Rewired


def first(block, x):
    return block.relu(block.bn1(block.conv1(x)))


def second(block, x):
    return block.bn2(block.conv2(x))


def modified(change):
    """torchvision's block after `change(block, in_channels, out_channels, stride)`."""

    def target(in_channels, out_channels, stride=1):
        block = models.residual(in_channels, out_channels, stride)
        change(block, in_channels, out_channels, stride)
        return block

    return target


def always_fitted(block, inputs, outputs, stride):
    block.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def fitted_without_norm(block, inputs, outputs, stride):
    if block.downsample is not None:
        block.downsample = block.downsample[0]


def fitted_by_three(block, inputs, outputs, stride):
    if block.downsample is not None:
        block.downsample[0] = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


def late_stride(block, inputs, outputs, stride):
    block.conv1.stride, block.conv2.stride = (1, 1), (stride, stride)


def with_biases(block, inputs, outputs, stride):
    block.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
    block.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)


def no_norms(block, inputs, outputs, stride):
    block.bn1, block.bn2 = nn.Identity(), nn.Identity()


def shared(block, inputs, outputs, stride):
    if inputs == outputs:
        block.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        block.conv1.weight = block.conv2.weight


def one_norm(block, inputs, outputs, stride):
    block.bn2 = block.bn1


class Padded(nn.Module):
    """A shortcut without parameters: pixels left out, channels of zeros added or channels dropped."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.block, self.more, self.stride = models.residual(in_channels, out_channels, stride), out_channels, stride
        self.block.downsample = None

    def forward(self, x):
        shortcut = x[:, : self.more, :: self.stride, :: self.stride]
        missing = self.more - shortcut.shape[1]
        return (second(self.block, first(self.block, x)) + nn.functional.pad(shortcut, (0, 0, 0, 0, 0, missing))).relu()


class Before(nn.Module):
    """Batch norm and ReLU before each convolution."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.block = models.residual(in_channels, out_channels, stride)
        self.block.bn1 = nn.BatchNorm2d(in_channels)

    def forward(self, x):
        b = self.block
        y = b.conv2(b.bn2(b.conv1(b.bn1(x).relu())).relu())
        return y + (x if b.downsample is None else b.downsample(x))


RESIDUAL = (
    Mistake(
        "no shortcut",
        "nothing is carried around your block: it is a plain one.",
        "what comes out if both convolutions answer 0?",
        "add the input to what the second batch norm gives.",
        models.plain,
    ),
    Mistake(
        "no ReLU at the end",
        "your block ends with the sum; a ReLU follows it.",
        "can your output be negative?",
        "ReLU of the sum.",
        rewired(lambda b, x, shortcut: second(b, first(b, x)) + shortcut),
    ),
    Mistake(
        "ReLU before the addition",
        "your last ReLU comes before the addition. The block could then only add, never take away.",
        "which of the two comes first in the drawing, + or ReLU?",
        "ReLU of the sum.",
        rewired(lambda b, x, shortcut: second(b, first(b, x)).relu() + shortcut),
    ),
    Mistake(
        "ReLU before and behind the addition",
        "there is a ReLU before the addition as well as behind it. What the block adds could then never be negative.",
        "how many ReLUs has the block?",
        "two: between the convolutions, and behind the sum.",
        rewired(lambda b, x, shortcut: (second(b, first(b, x)).relu() + shortcut).relu()),
    ),
    Mistake(
        "no ReLU between",
        "nothing non-linear stands between your two convolutions.",
        "how many ReLUs has the block?",
        "two: between the convolutions, and behind the sum.",
        rewired(lambda b, x, shortcut: (second(b, b.bn1(b.conv1(x))) + shortcut).relu()),
    ),
    Mistake(
        "always a 1×1 convolution",
        "your shortcut always has a convolution. Where the shape stays, the input is carried around *as it is*: that "
        "is the point of the block.",
        "how many parameters has the block with as many channels out as in, and stride 1?",
        "a 1×1 convolution only if stride or channels change.",
        modified(always_fitted),
    ),
    Mistake(
        "shortcut without batch norm",
        "the 1×1 convolution of your shortcut has no batch norm behind it; every convolution of a ResNet has one.",
        "how many parameters has a batch norm?",
        "1×1 convolution, batch norm.",
        modified(fitted_without_norm),
    ),
    Mistake(
        "shortcut of 3×3",
        "your shortcut has a 3×3 kernel; to fit the number of channels, 1×1 is enough.",
        "how many weights has the shortcut?",
        "kernel_size=1, with the block's stride.",
        modified(fitted_by_three),
    ),
    Mistake(
        "shortcut padded with zeros",
        "your shortcut leaves pixels out and adds channels of zeros. The paper tried that, too (option A); here a 1×1 "
        "convolution is asked for.",
        "how many parameters has your shortcut?",
        "1×1 convolution with the stride, batch norm.",
        Padded,
    ),
    Mistake(
        "late stride",
        "your second convolution has the stride; the first is to have it.",
        "which convolution sees the large maps?",
        "stride in the first convolution and in the shortcut.",
        modified(late_stride),
    ),
    Mistake(
        "biases",
        "your convolutions have biases. The batch norm behind each takes any constant away: bias=False.",
        "what does batch norm subtract?",
        "bias=False in all convolutions.",
        modified(with_biases),
    ),
    Mistake(
        "no batch norm",
        "batch norm is missing behind your convolutions.",
        "what stands behind every convolution of a ResNet?",
        "nn.BatchNorm2d(out_channels), twice.",
        modified(no_norms),
    ),
    Mistake(
        "one batch norm for both",
        "both convolutions share one batch norm: its running means would be of both at once.",
        "how many layers do you make in __init__?",
        "one batch norm for each convolution.",
        modified(one_norm),
    ),
    Mistake(
        "one convolution used twice",
        "both convolutions share their weights: one layer was made and is used twice.",
        "how many layers do you make in __init__?",
        "two convolutions.",
        modified(shared),
    ),
    Mistake(
        "side by side",
        "you put the input beside the result (torch.cat), so the channels grow. A residual block *adds*.",
        "how many channels come out?",
        "+.",
        rewired(lambda b, x, shortcut: torch.cat([second(b, first(b, x)), shortcut], 1).relu()),
    ),
    Mistake(
        "multiplied",
        "you multiply the input with the result; a residual block adds.",
        "what comes out if both convolutions answer 0?",
        "+.",
        rewired(lambda b, x, shortcut: (second(b, first(b, x)) * shortcut).relu()),
    ),
    Mistake(
        "added before the last batch norm",
        "you add before the second batch norm, which then scales the input, too: it no longer comes through as it was.",
        "what comes out if both convolutions answer 0?",
        "convolution, batch norm, then +.",
        rewired(lambda b, x, shortcut: b.bn2(b.conv2(first(b, x)) + shortcut).relu()),
    ),
    Mistake(
        "the shortcut starts too late",
        "you add what the first convolution gave, not the block's input.",
        "keep x: which variable do you overwrite?",
        "save the input under a name of its own before the first layer.",
        rewired(lambda b, x, shortcut: (second(b, first(b, x)) + first(b, x)).relu()),
    ),
    Mistake(
        "the order of 2016",
        "batch norm and ReLU stand *before* your convolutions. That is the block of the second paper (2016); here it "
        "is the one of 2015.",
        "which layer meets the input first?",
        "convolution, batch norm, ReLU, convolution, batch norm, +, ReLU.",
        Before,
    ),
)

# ── new_head ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def headed(net, classes, bias=True):
    net.fc = nn.Linear(net.fc.in_features, classes, bias)
    return net


def asked(net, classes, learns=lambda name, p: name.startswith("fc.")):
    """A network with a new head, of which those parameters learn for which learns(name, p) is true."""
    net = headed(net, classes)
    for name, p in net.named_parameters():
        p.requires_grad = learns(name, p)
    return net


def on_top(net, classes):
    net.requires_grad_(False)
    return nn.Sequential(net, nn.Linear(net.fc.out_features, classes))


def renamed(net, classes):
    net.fc.out_features = classes
    net.requires_grad_(False)
    net.fc.requires_grad_(True)
    return net


def cut(net, classes):
    old = net.fc
    net = asked(net, classes)
    with torch.no_grad():
        rows = min(classes, len(old.weight))
        net.fc.weight[:rows] = old.weight[:rows]
    return net


def forgotten(net, classes):
    net = asked(net, classes)
    for name, part in net.named_children():
        if name != "fc":
            part.reset_parameters()
    return net


class Certain(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x).argmax(1)


HEAD = (
    Mistake(
        "the new layer is frozen, too",
        "your new layer does not learn: you freeze after you put it in.",
        "which parameters exist when you freeze?",
        "first freeze, then replace: new layers learn by default.",
        lambda net, classes: asked(net, classes, lambda *_: False),
    ),
    Mistake(
        "nothing is frozen",
        "nothing is frozen. eval() and no_grad() do not do it: whether a parameter learns is its requires_grad.",
        "what is requires_grad of net.conv1.weight?",
        "requires_grad_(False) for every parameter before you replace the layer.",
        lambda net, classes: asked(net, classes, lambda *_: True),
    ),
    Mistake(
        "biases still learn",
        "you freeze the weights; the biases, and batch norm's, still learn.",
        "what does net.parameters() give?",
        "all parameters, whatever their name.",
        lambda net, classes: asked(net, classes, lambda name, p: name.startswith("fc.") or name.endswith("bias")),
    ),
    Mistake(
        "batch norm still learns",
        "batch norm's weights and biases still learn: you freeze convolutions only.",
        "which of net's children have parameters?",
        "all parameters, whatever their layer.",
        lambda net, classes: asked(net, classes, lambda name, p: name.startswith(("fc.", "bn"))),
    ),
    Mistake(
        "only the weight of the new layer learns",
        "the bias of your new layer is frozen.",
        "which parameters has an nn.Linear?",
        "leave the new layer as it is made.",
        lambda net, classes: asked(net, classes, lambda name, p: name == "fc.weight"),
    ),
    Mistake(
        "on top of the old layer",
        "you put the new layer behind the old one, so it only sees the scores of the old classes, not the features.",
        "how many inputs has your new layer?",
        "net.fc = …: in its place.",
        on_top,
    ),
    Mistake(
        "renamed, not replaced",
        "setting out_features changes what is printed, not the weights: the layer still gives the old number.",
        "what is the shape of net.fc.weight?",
        "a new nn.Linear(net.fc.in_features, classes).",
        renamed,
    ),
    Mistake(
        "rows of old classes",
        "your last layer has kept weights of the old classes, which say nothing about the new ones.",
        "what does row 0 of your weight stand for?",
        "a fresh nn.Linear.",
        cut,
    ),
    Mistake(
        "everything forgotten",
        "your network has forgotten what it had learned: its layers were initialised anew.",
        "is net.conv1.weight the same before and after?",
        "change net.fc alone.",
        forgotten,
    ),
    Mistake(
        "one class too many",
        "your layer gives one logit more than there are classes.",
        "what is the shape of net.fc.weight?",
        "nn.Linear(…, classes).",
        lambda net, classes: asked(net, classes + 1),
    ),
    Mistake(
        "no bias",
        "your new layer has no bias.",
        "what is nn.Linear's default?",
        "leave bias as it is.",
        lambda net, classes: headed(net.requires_grad_(False), classes, bias=False),
    ),
    Mistake(
        "labels, not logits",
        "your network gives labels; a loss needs logits.",
        "what is the shape of its output?",
        "no argmax in the network.",
        lambda net, classes: Certain(asked(net, classes)),
    ),
)

ANSWERS = {
    "multiply_adds": Answer(counted, PRODUCTS),
    "inception": Answer(models.inception, INCEPTION),
    "residual_block": Answer(models.residual, RESIDUAL),
    "new_head": Answer(asked, HEAD),
}
