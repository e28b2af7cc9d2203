"""Chapter 09: torchvision's boxes, scikit-learn's scores, torch's convolutions; and how learners go wrong."""

import torch
import torch.nn.functional as F
from torch import nn

from utils.applications.style import correlations
from utils.checks.answer import Answer, Mistake

# ── iou ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def torchvisions(a, b):
    from torchvision.ops import box_iou

    return box_iou(a, b)


def areas(a, b):
    """The areas of the two, each as (N, M), and how much both cover: from torchvision's IoU."""
    from torchvision.ops import box_area

    both = box_area(a)[:, None] + box_area(b)[None]
    shared = torchvisions(a, b)
    return box_area(a)[:, None].expand_as(both), box_area(b)[None].expand_as(both), shared * both / (1 + shared)


def enclosing(a, b):
    """The area of the smallest box round both, from torchvision's generalised IoU."""
    from torchvision.ops import generalized_box_iou

    one, other, common = areas(a, b)
    return (one + other - common) / (1 + generalized_box_iou(a, b) - torchvisions(a, b))


def along(a, b, axis):
    """How far two boxes reach into one another along one axis, (N, M); negative if they are apart."""
    flat = [box.clone() for box in (a, b)]
    for box in flat:
        box[:, 1 - axis], box[:, 3 - axis] = 0, 1  # boxes of height 1: areas are lengths
    one, other, _ = areas(*flat)
    return one + other - enclosing(*flat)


def of_areas(form):
    """What somebody makes of the areas of a, of b, and of what they have in common."""
    return lambda a, b: form(*areas(a, b))


def without_cutting(a, b):
    one, other, _ = areas(a, b)
    common = along(a, b, 0) * along(a, b, 1)
    return common / (one + other - common)


def cut_too_late(a, b):
    one, other, _ = areas(a, b)
    common = (along(a, b, 0) * along(a, b, 1)).clamp(min=0)
    return common / (one + other - common)


def converted(form):
    """The boxes read as if they were given in another form."""

    def target(a, b):
        from torchvision.ops import box_convert

        return torchvisions(*(box_convert(box, form, "xyxy") for box in (a, b)))

    return target


def one_by_one(a, b):
    full = torchvisions(a, b)
    if len(a) == len(b):
        return full.diagonal()
    if 1 not in (len(a), len(b)):
        raise RuntimeError("the sizes of the two must match")
    return full.flatten()


def widths_only(a, b):
    flat = [box.clone() for box in (a, b)]
    for box in flat:
        box[:, 1], box[:, 3] = 0, 1
    return torchvisions(*flat)


def exchanged(a, b):
    one, other, _ = areas(a, b)
    return enclosing(a, b) / (one + other - enclosing(a, b))


IOU = (
    Mistake(
        "negative sides multiplied",
        "for boxes apart in both directions your intersection is the product of two *negative* lengths, which is "
        "positive. Boxes apart have nothing in common.",
        "boxes [0, 0, 2, 3] and [5, 7, 9, 9]: which width and which height has your intersection?",
        "cut width and height off at 0, each before you multiply.",
        without_cutting,
    ),
    Mistake(
        "cut off after multiplying",
        "you cut the *product* off at 0; but two negative lengths have a positive product.",
        "boxes [0, 0, 2, 3] and [5, 7, 9, 9]: which width and which height has your intersection?",
        "cut width and height off at 0, each before you multiply.",
        cut_too_late,
    ),
    Mistake(
        "edges counted as pixels",
        "you add 1 to width and height, as if x2 were the last pixel within. Boxes are edges here: width is x2 − x1.",
        "the area of [0, 0, 4, 2]?",
        "no + 1 anywhere.",
        lambda a, b: torchvisions(a + torch.tensor([0, 0, 1, 1]), b + torch.tensor([0, 0, 1, 1])),
    ),
    Mistake(
        "union counts the intersection twice",
        "your union is the sum of both areas: what they have in common is counted twice. Two equal boxes would get ½.",
        "the IoU of a box with itself?",
        "area of a + area of b − intersection.",
        of_areas(lambda one, other, common: common / (one + other)),
    ),
    Mistake(
        "Dice",
        "you divide twice the intersection by the sum of the areas: that is the Dice score (F1), not IoU.",
        "which two of intersection and union do you divide?",
        "no factor 2; the union below.",
        of_areas(lambda one, other, common: 2 * common / (one + other)),
    ),
    Mistake(
        "share of the smaller box",
        "you divide by the smaller area, so a tiny box within a large one gets 1. IoU divides by what *either* covers.",
        "[0, 0, 6, 4] and [2, 1, 4, 2]: which share of both together is common?",
        "the union below.",
        of_areas(lambda one, other, common: common / torch.minimum(one, other)),
    ),
    Mistake(
        "share of the first box",
        "you divide by the area of the first box; IoU is the same whichever comes first.",
        "exchange a and b: does your result change?",
        "the union below.",
        of_areas(lambda one, other, common: common / one),
    ),
    Mistake(
        "share of the second box",
        "you divide by the area of the second box; IoU is the same whichever comes first.",
        "exchange a and b: does your result change?",
        "the union below.",
        of_areas(lambda one, other, common: common / other),
    ),
    Mistake(
        "the box round both",
        "you divide by the smallest box that holds both. The union is less: its corners belong to neither.",
        "[0, 0, 4, 2] and [2, 1, 6, 4]: how many units of area does at least one cover?",
        "area of a + area of b − intersection.",
        lambda a, b: areas(a, b)[2] / enclosing(a, b),
    ),
    Mistake(
        "largest and smallest exchanged",
        "your intersection runs from the smaller left edge to the larger right edge: that is the box round both.",
        "where does the common part begin: at the left edge that is further left, or further right?",
        "the larger of the left edges, the smaller of the right ones.",
        exchanged,
    ),
    Mistake(
        "read as x, y, width, height",
        "you take the last two numbers for width and height; here they are the right and lower edge, x2 and y2.",
        "which area has [1, 2, 4, 8]?",
        "width = x2 − x1.",
        converted("xywh"),
    ),
    Mistake(
        "read as middle and size",
        "you take the numbers for the middle, width and height; here they are edges: x1, y1, x2, y2.",
        "which area has [1, 2, 4, 8]?",
        "width = x2 − x1.",
        converted("cxcywh"),
    ),
    Mistake(
        "pairs with equal numbers only",
        "you compare the first with the first, the second with the second. Wanted: each box of a with each of b.",
        "three boxes and two: how many IoUs are there?",
        "give a a second axis and b a first one, so that they broadcast: (N, 1, 4) and (1, M, 4).",
        one_by_one,
    ),
    Mistake(
        "(M, N)",
        "rows and columns are exchanged: rows belong to the boxes of a, columns to those of b.",
        "three boxes and two: which shape comes out?",
        "a gets the new axis behind, b in front.",
        lambda a, b: torchvisions(b, a),
    ),
    Mistake(
        "widths alone",
        "only the horizontal edges of the problem are there: boxes one above the other would overlap.",
        "which of the four numbers does your function not use?",
        "width times height.",
        widths_only,
    ),
    Mistake(
        "intersection alone",
        "that is the area in common, in pixels; it is still to be divided by the union.",
        "the IoU of a box with itself is 1: what do you get?",
        "divide by what at least one of the two covers.",
        of_areas(lambda one, other, common: common),
    ),
    Mistake(
        "1 − IoU",
        "that is a distance: 0 for equal boxes. IoU is 1 for them.",
        "the IoU of a box with itself?",
        "no “1 −”.",
        lambda a, b: 1 - torchvisions(a, b),
    ),
)

# ── nms ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def suppressed(boxes, scores, threshold=0.5):
    from torchvision.ops import nms

    return nms(boxes, scores, threshold)


def any_surer(boxes, scores, threshold=0.5):
    """A box goes if any surer one overlaps it, even one that has gone itself."""
    surer = scores[None] > scores[:, None]
    stays = ~((torchvisions(boxes, boxes) > threshold) & surer).any(1)
    order = scores.argsort(descending=True)
    return order[stays[order]]


def with_the_one_before(boxes, scores, threshold=0.5):
    order = scores.argsort(descending=True)
    shared = torchvisions(boxes[order], boxes[order])
    return torch.tensor([n for i, n in enumerate(order.tolist()) if i == 0 or shared[i, i - 1] <= threshold]).long()


def best_and_its_friends(boxes, scores, threshold=0.5):
    if not len(boxes):
        return scores.argsort()
    order = scores.argsort(descending=True)
    return order[torchvisions(boxes[order[:1]], boxes[order])[0] > threshold]


def from_the_first(boxes, scores, threshold=0.5):
    return suppressed(boxes, -torch.arange(len(boxes), dtype=boxes.dtype), threshold)


def positions(boxes, scores, threshold=0.5):
    order = scores.argsort(descending=True)
    return suppressed(boxes[order], scores[order], threshold)


def as_mask(boxes, scores, threshold=0.5):
    mask = torch.zeros(len(boxes), dtype=torch.bool)
    mask[suppressed(boxes, scores, threshold)] = True
    return mask


def fails_without_boxes(boxes, scores, threshold=0.5):
    if not len(boxes):
        raise IndexError("max(): Expected reduction dim to be specified")
    return suppressed(boxes, scores, threshold)


def stays_if_new(boxes, scores, threshold=0.5):
    return suppressed(boxes, scores, 1 - threshold)


NMS = (
    Mistake(
        "in the order given",
        "you begin with the first box of the list; you are to begin with the *surest*.",
        "two boxes on one object, the second surer: which stays?",
        "sort by score first, the largest in front.",
        from_the_first,
    ),
    Mistake(
        "the least sure first",
        "of two boxes on one object you keep the *less* sure one: sorted upwards instead of downwards.",
        "two boxes on one object: which stays?",
        "argsort(descending=True).",
        lambda boxes, scores, threshold=0.5: suppressed(boxes, -scores, threshold),
    ),
    Mistake(
        "not in the order of scores",
        "the right boxes stay, but in the order of the list: the surest comes first.",
        "compare the order of your numbers with that of their scores.",
        "collect the numbers in the order in which you keep them.",
        lambda boxes, scores, threshold=0.5: suppressed(boxes, scores, threshold).sort().values,
    ),
    Mistake(
        "what was dropped still drops",
        "with you, a box that was itself dropped still drops others. It no longer counts: in a chain of three, the "
        "first drops the second, and the third stays.",
        "a row of boxes, each overlapping the next: which stay?",
        "compare only with boxes that were *kept*.",
        any_surer,
    ),
    Mistake(
        "compared with the one before only",
        "you compare each box with the one before it in the order of scores; its rival may be any of those kept.",
        "three objects, two boxes on each: who stands beside whom in the order of scores?",
        "compare with every box that was kept.",
        with_the_one_before,
    ),
    Mistake(
        "the surest and what overlaps it",
        "you keep what overlaps the surest box, and drop the rest. It is the other way round: what overlaps goes.",
        "boxes on two different objects: do both stay?",
        "keep those whose IoU is *at most* the threshold.",
        best_and_its_friends,
    ),
    Mistake(
        "1 − threshold",
        "your threshold counts from the wrong end: a box goes if its IoU is *larger* than the threshold.",
        "threshold 0.6 and an IoU of 0.54: does the box stay?",
        "compare the IoU with the threshold itself.",
        stays_if_new,
    ),
    Mistake(
        "threshold fixed",
        "whatever the threshold is, you use 0.5.",
        "where in your code does `threshold` stand?",
        "compare with the argument.",
        lambda boxes, scores, threshold=0.5: suppressed(boxes, scores, 0.5),
    ),
    Mistake(
        "threshold for scores",
        "you compare the *scores* with the threshold. It is about the IoU of two boxes.",
        "two boxes on one object, both sure: what should drop one?",
        "leave the scores for the order.",
        lambda boxes, scores, threshold=0.5: scores.argsort(descending=True)[
            scores.sort(descending=True)[0] > threshold
        ],
    ),
    Mistake(
        "one box only",
        "only the surest box of all stays; there may be many objects.",
        "does your loop go on after the first?",
        "go on with the boxes that are left.",
        lambda boxes, scores, threshold=0.5: suppressed(boxes, scores, threshold)[:1],
    ),
    Mistake(
        "numbers in the sorted list",
        "your numbers count in the sorted list; wanted are those in the list that was given.",
        "scores [0.3, 0.8]: which number has the surest box?",
        "order[i] instead of i.",
        positions,
    ),
    Mistake(
        "yes and no",
        "you give True or False for each box; wanted are the numbers of those that stay, the surest first.",
        "of which dtype is your result?",
        "collect numbers.",
        as_mask,
    ),
    Mistake(
        "boxes instead of numbers",
        "you give the boxes themselves; wanted are their numbers, with which scores and classes can be picked too.",
        "which shape has your result?",
        "collect numbers, not boxes.",
        lambda boxes, scores, threshold=0.5: boxes[suppressed(boxes, scores, threshold)],
    ),
    Mistake(
        "nothing found",
        "without any boxes your function stops with an error. A picture with nothing in it is no mistake.",
        "what does your function do with an empty list?",
        "a loop that begins only while there are boxes left.",
        fails_without_boxes,
    ),
)

# ── mean_iou ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def scored(score, predicted, truth, labels, **settings):
    """One of scikit-learn's scores over all pixels, as a tensor."""
    from sklearn import metrics

    found = getattr(metrics, score)(
        truth.flatten().numpy(), predicted.flatten().numpy(), labels=list(labels), zero_division=0, **settings
    )
    return torch.tensor(found)


def occurring(predicted, truth, classes):
    """The classes that are there or are said."""
    return [c for c in range(classes) if (predicted == c).any() or (truth == c).any()]


def by_scikit_learn(predicted, truth, classes):
    return scored("jaccard_score", predicted, truth, occurring(predicted, truth, classes), average="macro")


def other_score(score, **settings):
    """Another of scikit-learn's scores instead."""

    def target(predicted, truth, classes):
        return scored(
            score, predicted, truth, occurring(predicted, truth, classes), **({"average": "macro"} | settings)
        )

    return target


def over(chosen, score="jaccard_score"):
    """The mean over other classes: `chosen(predicted, truth, classes)` → labels."""
    return lambda p, t, classes: scored(score, p, t, chosen(p, t, classes), average="macro")


def absent_as(value):
    def target(predicted, truth, classes):
        scores = scored("jaccard_score", predicted, truth, range(classes), average=None)
        there = occurring(predicted, truth, classes)
        return torch.where(torch.isin(torch.arange(classes), torch.tensor(there)), scores, value).mean()

    return target


def picture_by_picture(predicted, truth, classes):
    return torch.stack([by_scikit_learn(p, t, classes) for p, t in zip(predicted, truth, strict=True)]).mean()


def pixel_accuracy(predicted, truth, classes):
    from sklearn.metrics import accuracy_score

    return torch.tensor(accuracy_score(truth.flatten(), predicted.flatten()))


def twice_counted(predicted, truth, classes):
    """J / (1 + J) is the intersection over the sum of the two."""
    scores = scored("jaccard_score", predicted, truth, occurring(predicted, truth, classes), average=None)
    return (scores / (1 + scores)).mean()


MEAN_IOU = (
    Mistake(
        "pixel accuracy",
        "that is the share of pixels that are right. Where most of a picture is ground, saying “ground” everywhere "
        "would do well.",
        "predict 0 everywhere: what do you get?",
        "an IoU for each class, then their mean.",
        pixel_accuracy,
    ),
    Mistake(
        "recall of each class",
        "you divide by the pixels that *are* of the class; those wrongly said to be of it are missing from the union.",
        "say class 1 everywhere: what is its IoU?",
        "pixels that are of the class *or* are said to be.",
        other_score("recall_score"),
    ),
    Mistake(
        "precision of each class",
        "you divide by the pixels *said* to be of the class; those missed are missing from the union.",
        "say class 1 for a single right pixel: what is its IoU?",
        "pixels that are of the class *or* are said to be.",
        other_score("precision_score"),
    ),
    Mistake(
        "Dice of each class",
        "you take twice the intersection over the sum of the two: that is Dice (F1), not IoU.",
        "which of the two has the factor 2?",
        "intersection over union.",
        other_score("f1_score"),
    ),
    Mistake(
        "union counts the intersection twice",
        "your union is a sum: pixels that are both are counted twice, and perfect labels would get ½.",
        "compare labels with themselves: what do you get?",
        "`|` of the two masks, not `+` of their counts.",
        twice_counted,
    ),
    Mistake(
        "all classes in one",
        "you add intersections and unions of all classes before dividing: large classes then decide. Divide class by "
        "class, then take the mean.",
        "when do you divide: before or after the sum over the classes?",
        "first divide, then the mean.",
        other_score("jaccard_score", average="micro"),
    ),
    Mistake(
        "weighted by size",
        "you weight classes by how many pixels they have; every class counts the same.",
        "does a rare class count as much as the ground?",
        "a plain mean.",
        other_score("jaccard_score", average="weighted"),
    ),
    Mistake(
        "absent classes as 0",
        "a class that is nowhere there and is never said gets 0 from you: nothing was wrong about it. Leave it out.",
        "its union is 0 pixels: what does the class say about the labels?",
        "the mean over classes whose union is not empty.",
        absent_as(0.0),
    ),
    Mistake(
        "absent classes as 1",
        "a class that is nowhere there and is never said gets 1 from you, as if it had been found. Leave it out.",
        "add ten classes that occur nowhere: does your score rise?",
        "the mean over classes whose union is not empty.",
        absent_as(1.0),
    ),
    Mistake(
        "0 divided by 0",
        "a class that is nowhere there and is never said gives 0/0, and NaN makes the whole mean NaN. Leave it out.",
        "what is 0/0 for a tensor?",
        "torch.nanmean, or only classes whose union is not empty.",
        absent_as(torch.nan),
    ),
    Mistake(
        "ground left out",
        "you leave class 0 out. The ground is a class like the others here.",
        "where does your loop over the classes begin?",
        "range(classes) begins with 0.",
        over(lambda p, t, classes: [c for c in occurring(p, t, classes) if c > 0] or [0]),
    ),
    Mistake(
        "only classes that are there",
        "you leave out a class that is said and nowhere there. It has a union, and an IoU of 0.",
        "say class 2 where there is none: should that cost something?",
        "leave a class out only if its *union* is empty.",
        over(lambda p, t, classes: t.unique().tolist()),
    ),
    Mistake(
        "only classes that are said",
        "you leave out a class that is there and never said. It has a union, and an IoU of 0.",
        "predict 0 everywhere: which classes does your mean run over?",
        "leave a class out only if its *union* is empty.",
        over(lambda p, t, classes: p.unique().tolist()),
    ),
    Mistake(
        "picture by picture",
        "you take the score of each picture and average those. Here pixels of all pictures are counted together.",
        "when do you divide: for each picture, or once?",
        "compare the tensors (N, H, W) as a whole.",
        picture_by_picture,
    ),
)

# ── gram_matrix ──────────────────────────────────────────────────────────────────────────────────────────────────────


def of_maps(change=lambda m: m, then=lambda g, m: g):
    """torch's answer for changed maps, and what is made of it."""
    return lambda maps: then(correlations(change(maps)), maps)


def beside(maps):
    """(B, C, P) as maps again, one pixel high."""
    return maps[:, :, None, :]


GRAM = (
    Mistake(
        "not divided",
        "you add up over the pixels and do not divide: a larger picture of the same texture has a larger matrix then.",
        "make every pixel six pixels: what happens to your matrix?",
        "divide by C · H · W.",
        of_maps(then=lambda g, m: g * m[0].numel()),
    ),
    Mistake(
        "divided by the pixels alone",
        "you divide by H · W; here the number of maps belongs to it too, so that layers can be compared.",
        "which three numbers does the formula divide by?",
        "C · H · W.",
        of_maps(then=lambda g, m: g * m.shape[1]),
    ),
    Mistake(
        "divided by the maps alone",
        "you divide by the number of maps, not by the number of pixels: larger pictures then have larger matrices.",
        "which three numbers does the formula divide by?",
        "C · H · W.",
        of_maps(then=lambda g, m: g * m[0, 0].numel()),
    ),
    Mistake(
        "divided by the batch too",
        "you divide by the number of pictures as well; each has a matrix of its own.",
        "a picture alone, and the same picture twice in a batch: the same matrix?",
        "C · H · W, without B.",
        of_maps(then=lambda g, m: g / len(m)),
    ),
    Mistake(
        "pixels against pixels",
        "your matrix compares every pixel with every other, (H·W, H·W): that knows *where* things are. Compare maps, "
        "(C, C).",
        "which axis is summed over, and which two remain?",
        "(B, C, H·W) times its transpose, not the other way round.",
        of_maps(lambda m: beside(m.flatten(2).transpose(1, 2))),
    ),
    Mistake(
        "one matrix for the batch",
        "all pictures go into one matrix; each is to have its own, (B, C, C).",
        "two pictures of different textures: do you get two matrices?",
        "keep the batch axis: a batched product.",
        of_maps(lambda m: beside(m.transpose(0, 1).flatten(1)[None])),
    ),
    Mistake(
        "maps torn apart",
        "you reshape to (B, H·W, C) without moving the axis first, so numbers of different maps share a column.",
        "maps.flatten(2) has which shape, and what stands in its rows?",
        "flatten first; exchange axes with transpose, never with view.",
        of_maps(lambda m: beside(m.reshape(len(m), -1, m.shape[1]).transpose(1, 2))),
    ),
    Mistake(
        "rows against rows",
        "you multiply each map with itself as a matrix, (B, C, H, H). First put the pixels of a map into one row.",
        "which shape has maps @ maps.transpose(-1, -2)?",
        "flatten(2) before the product.",
        lambda maps: maps @ maps.transpose(2, 3) / maps[0].numel(),
    ),
    Mistake(
        "means taken away",
        "you take the mean of each map away first: that is a covariance. A Gram matrix keeps it.",
        "maps that are 1 everywhere: what do you get?",
        "no mean.",
        of_maps(lambda m: m - m.mean((2, 3), keepdim=True)),
    ),
    Mistake(
        "maps of length 1",
        "you bring every map to length 1 first, so all have the same diagonal: how *strong* an answer is gets lost.",
        "what stands on your diagonal?",
        "the products as they are.",
        of_maps(lambda m: F.normalize(m.flatten(2), dim=2).view_as(m)),
    ),
    Mistake(
        "the diagonal alone",
        "you have only the square of each map. Which maps answer *together* stands beside the diagonal.",
        "which shape is wanted?",
        "every map with every map: (B, C, C).",
        of_maps(then=lambda g, m: g.diagonal(dim1=1, dim2=2)),
    ),
    Mistake(
        "cut off from the gradient",
        "the numbers are right, but no gradient comes back to the maps: pixels could not be changed by it.",
        "where do .detach(), .item(), .numpy() or torch.no_grad() stand?",
        "plain tensor operations only.",
        of_maps(lambda m: m.detach()),
    ),
)

# ── as_convolution ───────────────────────────────────────────────────────────────────────────────────────────────────


def answering(linear, maps):
    """The dense layer's answer to each picture with a single 1, as kernels (out, C, H, W)."""
    n = linear.in_features
    with torch.no_grad():
        units = torch.eye(n, dtype=linear.weight.dtype)
        kernels = F.linear(units, linear.weight)  # (n, out): without the bias
        return torch.einsum("no,nchw->ochw", kernels, units.unflatten(1, tuple(maps)))


def convolution(kernels, bias, **settings):
    layer = nn.Conv2d(kernels.shape[1], len(kernels), kernels.shape[2:], bias=bias is not None, **settings)
    layer.weight.data = kernels
    if bias is not None:
        layer.bias.data = bias.detach().clone()
    return layer


def by_units(linear, maps):
    return convolution(answering(linear, maps), linear.bias)


def with_kernels(change):
    """Kernels bent by `change(kernels, linear, maps)`."""
    return lambda linear, maps: convolution(change(answering(linear, maps), linear, maps), linear.bias)


def scrambled(order):
    """The weights read in another order of axes: names in the order in which they are taken to lie."""

    def change(kernels, linear, maps):
        size = dict(zip("chw", maps, strict=True))
        read = linear.weight.data.reshape(-1, *(size[axis] for axis in order))
        return read.permute(0, *(1 + order.index(axis) for axis in "chw")).contiguous()

    return with_kernels(change)


def fresh(linear, maps):
    channels, *kernel = maps
    return nn.Conv2d(channels, linear.out_features, tuple(kernel), bias=linear.bias is not None)


def without_bias(linear, maps):
    return convolution(answering(linear, maps), None)


def always_bias(linear, maps):
    kernels = answering(linear, maps)
    if linear.bias is None:
        raise AttributeError("'NoneType' object has no attribute 'data'")
    return convolution(kernels, linear.bias)


def own_bias(linear, maps):
    layer = nn.Conv2d(maps[0], linear.out_features, tuple(maps[1:]))  # with a bias, unless told otherwise
    layer.weight.data = answering(linear, maps)
    return layer if linear.bias is None else by_units(linear, maps)


def bordered(linear, maps):
    return convolution(answering(linear, maps), linear.bias, padding=(maps[1] // 2, maps[2] // 2))


def in_jumps(linear, maps):
    return convolution(answering(linear, maps), linear.bias, stride=tuple(maps[1:]))


def always_one_by_one(linear, maps):
    return convolution(linear.weight.data[:, :, None, None], linear.bias)


def square(linear, maps):
    if maps[1] != maps[2]:
        raise RuntimeError("shape is invalid for input")
    return by_units(linear, maps)


def wrong_way_round(kernels, linear, maps):
    return linear.weight.data.T.reshape(kernels.shape)


HEADS = (
    Mistake(
        "weights not taken over",
        "your convolution has the right shape and *new* random weights; it is to answer as the dense layer did.",
        "where does linear.weight go?",
        "copy the dense layer's weight and bias into the new one.",
        fresh,
    ),
    Mistake(
        "bias forgotten",
        "the weights are right, the bias is missing.",
        "maps of zeros: what does the dense layer say to them?",
        "copy linear.bias too.",
        without_bias,
    ),
    Mistake(
        "read as rows, columns, channels",
        "you take the dense layer's inputs to lie as (H, W, C). nn.Flatten puts channel after channel: (C, H, W).",
        "which three numbers of maps come first in maps.flatten(1)?",
        "the weight's second axis is (C, H, W), in this order.",
        scrambled("hwc"),
    ),
    Mistake(
        "rows and columns swapped",
        "your kernels lie on their sides: within a channel, flattening goes row by row.",
        "maps of 2 rows and 3 columns: which numbers follow one another in flatten?",
        "(C, H, W): height before width.",
        scrambled("cwh"),
    ),
    Mistake(
        "kernel flipped",
        "you turn the kernels by 180°. PyTorch's convolution does not flip (chapter 01), so nothing is to be undone.",
        "try a dense layer with a single weight that is not 0.",
        "take the weights as they are.",
        with_kernels(lambda k, linear, maps: k.flip(2, 3)),
    ),
    Mistake(
        "a mean instead of a sum",
        "your answers are smaller by the number of pixels: a dense layer adds its products up, it does not average.",
        "by which factor are you off?",
        "take the weights as they are.",
        with_kernels(lambda k, linear, maps: k / (maps[1] * maps[2])),
    ),
    Mistake(
        "weight transposed",
        "you transpose the weight: nn.Linear keeps it as (out, in) already, as Conv2d wants it.",
        "print linear.weight.shape.",
        "no .T; the first axis is that of the outputs in both.",
        with_kernels(wrong_way_round),
    ),
    Mistake(
        "padded",
        "your convolution pads its input, so it answers at places where the window hangs over the edge.",
        "maps of exactly the size that the dense layer takes: how many answers may there be?",
        "padding stays 0.",
        bordered,
    ),
    Mistake(
        "windows that do not overlap",
        "your convolution jumps by its own size; the window is to stand at *every* place.",
        "maps of 4×5 and a kernel of 2×2: how many places are there?",
        "stride stays 1.",
        in_jumps,
    ),
    Mistake(
        "1×1 for every layer",
        "you make a 1×1 convolution of all C·H·W numbers. That suits a dense layer behind another one; the first "
        "sees maps of (C, H, W).",
        "how many channels do the maps have?",
        "kernel_size is (H, W), in_channels is C.",
        always_one_by_one,
    ),
    Mistake(
        "square maps only",
        "you use one number for height and width.",
        "maps of 2 rows and 3 columns: which kernel_size?",
        "kernel_size=(H, W).",
        square,
    ),
    Mistake(
        "a bias is taken for granted",
        "a dense layer may have no bias: linear.bias is None then.",
        "nn.Linear(4, 2, bias=False).bias?",
        "bias=linear.bias is not None, and copy it only if there is one.",
        always_bias,
    ),
    Mistake(
        "a random bias where there was none",
        "the dense layer has no bias, your convolution has one of its own, with random numbers.",
        "nn.Conv2d has a bias unless told otherwise.",
        "bias=linear.bias is not None.",
        own_bias,
    ),
    Mistake(
        "the dense layer itself",
        "you give the dense layer back. It takes (B, features) of one size; a convolution takes maps of any.",
        "which layer of chapter 02 has a kernel as large as the maps?",
        "an nn.Conv2d with the same weights.",
        lambda linear, maps: linear,
    ),
)

ANSWERS = {
    "iou": Answer(torchvisions, IOU),
    "nms": Answer(suppressed, NMS),
    "mean_iou": Answer(by_scikit_learn, MEAN_IOU, tolerance=1e-6),  # counts divided by counts are float32
    "gram_matrix": Answer(correlations, GRAM),
    "as_convolution": Answer(by_units, HEADS, tolerance=1e-5),
}
