"""Chapter 08: the transposed convolution, how often each pixel is written, PSNR, an autoencoder that fits together."""

import numpy as np
import torch

from utils.checks.question import Case, Objection, Question, as_array, untouched
from utils.checks.questions.layer import build, output

# ── conv_transpose2d ─────────────────────────────────────────────────────────────────────────────────────────────────


def stamp_case(rng, aspect, x, weight, *, needs=(), bias=False, small=False, **settings):
    """Pictures and kernels of these shapes; small whole numbers where the result can be followed by hand."""
    draw = (lambda shape: rng.integers(1, 8, shape).astype("float64")) if small else rng.standard_normal
    settings = {"stride": 1, "padding": 0, "output_padding": 0} | settings
    given = {"x": draw(x), "weight": draw(weight), "bias": rng.standard_normal(weight[1]) + 2 if bias else None}
    return Case(aspect, given | settings, needs, watched=aspect == "stamps")  # watching slows loops down


def stamp_cases(rng, wide):
    def ask(*args, **settings):
        return stamp_case(rng, *args, **settings)

    cases = [
        ask("stamps", (1, 1, 2, 2), (1, 1, 2, 2), small=True),
        ask("stamps", (1, 1, 2, 3), (1, 1, 2, 3), small=True),
        ask("stamps", (2, 1, 3, 2), (1, 1, 3, 2)),
        ask("channels", (1, 2, 2, 2), (2, 1, 2, 2), small=True),
        ask("channels", (1, 2, 2, 3), (2, 3, 2, 2)),
        ask("channels", (2, 3, 2, 2), (3, 2, 2, 3)),
        ask("channels", (2, 2, 3, 2), (2, 2, 3, 2)),  # as many out as in: mixing them up is no error
        ask("bias", (1, 1, 2, 2), (1, 1, 2, 2), bias=True),
        ask("bias", (2, 2, 2, 3), (2, 3, 2, 2), bias=True, needs=("channels",)),
        ask("stride", (1, 1, 2, 2), (1, 1, 3, 2), stride=2, small=True),
        ask("stride", (1, 1, 2, 3), (1, 1, 2, 3), stride=3, small=True),
        ask("stride", (2, 2, 3, 2), (2, 3, 3, 4), stride=2, needs=("channels",)),
        ask("padding", (1, 1, 3, 4), (1, 1, 3, 3), padding=1, small=True),
        ask("padding", (1, 1, 3, 2), (1, 1, 5, 6), padding=2),
        ask("padding", (2, 2, 3, 4), (2, 1, 4, 4), stride=2, padding=1, needs=("stride", "channels")),
        ask(
            *("output_padding", (1, 1, 3, 2), (1, 1, 3, 3)),
            **{"stride": 2, "padding": 1, "output_padding": 1, "small": True, "needs": ("stride", "padding")},
        ),
        ask("output_padding", (1, 1, 2, 2), (1, 1, 2, 3), stride=3, output_padding=2, needs=("stride",)),
        ask(
            *("output_padding", (2, 2, 3, 2), (2, 3, 3, 4)),
            **{"stride": 2, "padding": 1, "output_padding": 1, "bias": True},
            needs=("stride", "padding", "channels", "bias"),
        ),
    ]
    for _ in range(8 if wide else 0):
        B, C, out, H, W, kH, kW, s = (int(n) for n in rng.integers((1, 1, 1, 3, 3, 2, 2, 1), (3, 3, 4, 5, 5, 5, 5, 4)))
        more = {
            "stride": s,
            "padding": int(rng.integers(0, 2)),
            "output_padding": int(rng.integers(0, s)),
            "bias": True,
        }
        everything = ("stamps", "channels", "bias", "stride", "padding")
        cases.append(ask("output_padding", (B, C, H, W), (C, out, kH, kW), **more, needs=everything))
    return cases


def run_stamps(target, given):
    x, weight = torch.tensor(given["x"]), torch.tensor(given["weight"])
    bias = None if given["bias"] is None else torch.tensor(given["bias"])
    settings = [given[name] for name in ("stride", "padding", "output_padding")]
    with untouched(input=x, weight=weight):
        return {"y": as_array(target(x, weight, bias, *settings), "the output")}


# ── overlaps ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def overlap_cases(rng, wide):
    asked = [("stride 1", 4, 2, 1), ("stride 1", 5, 3, 1), ("even", 4, 2, 2), ("even", 5, 4, 2), ("even", 4, 6, 3)]
    asked += [("uneven", 4, 3, 2), ("uneven", 5, 5, 2), ("uneven", 4, 4, 3), ("gaps", 3, 2, 3), ("gaps", 4, 1, 2)]
    for _ in range(12 if wide else 0):
        n, kernel_size, stride = (int(v) for v in rng.integers((2, 1, 1), (12, 8, 5)))
        asked.append(("uneven", n, kernel_size, stride))
    return [Case(a, {"n": n, "kernel_size": k, "stride": s}) for a, n, k, s in asked]


def run_overlaps(target, given):
    counts = target(given["n"], given["kernel_size"], given["stride"])
    counts = torch.tensor(counts) if isinstance(counts, list) else counts
    return {"how often each pixel is written": as_array(counts, "the result").astype("float64")}


# ── psnr ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def psnr_cases(rng, wide):
    def pictures(shape, spread, shift=0.0, peak=1.0):
        y = rng.uniform(0.2, 0.8, shape)
        return {"x": (y + shift + spread * rng.standard_normal(shape)) * peak, "y": y * peak, "peak": peak}

    by_hand = {
        "x": np.array([[[[0.5, 0.5], [0.25, 0.75]]]]),
        "y": np.array([[[[0.5, 0.4], [0.25, 0.75]]]]),
        "peak": 1.0,
    }
    several = pictures((3, 1, 2, 3), 0.1)
    several["x"][1] = several["y"][1] + 0.01  # good pictures beside bad ones: the mean of what decides
    colour = pictures((2, 3, 3, 2), 0.05)
    colour["x"][:, 0] += 0.3
    same = pictures((2, 1, 2, 2), 0.1)
    same["x"][0] = same["y"][0]
    bytes_ = {
        "x": rng.integers(0, 256, (2, 1, 3, 2), dtype="uint8"),
        "y": rng.integers(0, 256, (2, 1, 3, 2), dtype="uint8"),
    }
    cases = [
        Case("one picture", by_hand),
        Case("one picture", pictures((1, 1, 3, 4), 0.1)),
        Case("one picture", pictures((1, 1, 2, 3), 0.02, shift=0.1)),
        Case("several pictures", several),
        Case("several pictures", pictures((2, 1, 4, 3), 0.2)),
        Case("colour", colour, ("several pictures",)),
        Case("colour", pictures((1, 3, 2, 4), 0.1, shift=-0.05)),
        Case("peak", pictures((1, 1, 3, 2), 0.1, peak=255.0)),
        Case("peak", pictures((2, 1, 2, 3), 0.1, peak=2.0), ("several pictures",)),
        Case("no difference", same, ("several pictures",)),
        Case("bytes", bytes_ | {"peak": 255.0}, ("several pictures", "peak")),
    ]
    for _ in range(6 if wide else 0):
        shape = tuple(int(n) for n in rng.integers((1, 1, 2, 2), (5, 4, 7, 7)))
        peak = float(rng.choice([1, 2, 255]))
        cases.append(Case("colour", pictures(shape, 0.1, peak=peak), ("several pictures", "peak")))
    return cases


def run_psnr(target, given):
    x, y = torch.tensor(given["x"]), torch.tensor(given["y"])
    with untouched(pictures=x, wanted=y):
        return {"the PSNR in dB": as_array(target(x, y, given["peak"]), "the result").astype("float64")}


# ── conv_autoencoder ─────────────────────────────────────────────────────────────────────────────────────────────────


def autoencoder_cases(rng, wide):
    shapes = [("digits", (1, 28, 28), 16), ("other sizes", (1, 32, 32), 16), ("other sizes", (1, 12, 20), 5)]
    shapes += [("colour", (3, 16, 16), 8), ("colour", (3, 8, 24), 6)]
    for _ in range(4 if wide else 0):
        c, h, w = (int(n) for n in rng.integers((1, 2, 2), (4, 8, 8)))
        shapes.append(("colour", (c, 4 * h, 4 * w), int(rng.integers(2, 20))))
    cases = [
        Case(aspect, {"in_shape": shape, "code": code, "x": rng.uniform(0, 1, (3, *shape)), "_look": "shapes"})
        for aspect, shape, code in shapes
    ]
    one = {"in_shape": (1, 28, 28), "code": 16, "x": rng.uniform(0, 1, (3, 1, 28, 28))}
    return [*cases, Case("maps", one | {"_look": "maps"}), Case("all used", one | {"_look": "used"})]


def run_autoencoder(target, given):
    torch.manual_seed(0)
    net = build(target, "ConvAutoEncoder", tuple(given["in_shape"]), given["code"]).eval()
    for part in ("encoder", "decoder"):
        if not isinstance(getattr(net, part, None), torch.nn.Module):
            raise Objection(
                "interface", f"the network needs an nn.Module self.{part}: pictures to codes, codes to pictures."
            )
    x = torch.tensor(given["x"], dtype=torch.float32)
    if given["_look"] == "maps":
        return maps(net, x)
    if given["_look"] == "used":
        return {"the number of parameters that no gradient reaches": unreached(net, x)}
    with torch.no_grad():
        code = output(net.encoder, x)
        picture = output(net, x)
    return {"the shape of the codes": np.array(code.shape), "the shape of what comes out": np.array(picture.shape)}


def maps(net, x):
    """The last maps before the code and the first after it: whether they are smaller than the picture, and alike."""
    ends = []
    for part in (net.encoder, net.decoder):
        seen, hooks = [], []
        for layer in part.modules():
            if not list(layer.children()):
                hooks.append(
                    layer.register_forward_hook(lambda _, given, y, seen=seen: seen.extend((given[0].shape, y.shape)))
                )
        with torch.no_grad():
            x = part(x)
        for hook in hooks:
            hook.remove()
        ends.append([tuple(shape[1:]) for shape in seen if len(shape) == 4])
    if not all(ends):
        raise Objection("interface", "no layer of your encoder or of your decoder takes maps (B, C, H, W).")
    last, first = ends[0][-1], ends[1][0]
    return {
        "whether the decoder begins with maps smaller than the picture": np.array(first[1] < x.shape[2]),
        "whether it begins with maps of the shape with which the encoder ended": np.array(first == last),
    }


def unreached(net, x):
    net(x).square().sum().backward()
    return np.array(sum(p.numel() for p in net.parameters() if p.grad is None))


QUESTIONS = {
    "conv_transpose2d": Question(
        name="conv_transpose2d",
        aspects=dict.fromkeys(("stamps", "channels", "bias", "stride", "padding", "output_padding"), 0),
        tests={
            "stamps": "one channel, kernels that are not square, overlaps that add up",
            "channels": "several channels in and out, a batch",
            "bias": "one number for each output channel, added once",
            "stride": "stamps that lie apart, with overlaps and with gaps",
            "padding": "a border that is cut off on all sides",
            "output_padding": "rows and columns that come back at the bottom and on the right",
        },
        cases=stamp_cases,
        run=run_stamps,
        signature="conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0), with x "
        "(B, C_in, H, W), weight (C_in, C_out, kH, kW), bias (C_out,), which returns (B, C_out, H_out, W_out)",
        from_scratch=True,
    ),
    "overlaps": Question(
        name="overlaps",
        aspects=dict.fromkeys(("stride 1", "even", "uneven", "gaps"), 0),
        tests={
            "stride 1": "neighbouring stamps",
            "even": "kernel sizes that the stride divides",
            "uneven": "kernel sizes that it does not divide",
            "gaps": "strides larger than the kernel, which leave pixels unwritten",
        },
        cases=overlap_cases,
        run=run_overlaps,
        signature="overlaps(n, kernel_size, stride), which returns a tensor with one number for each output pixel",
    ),
    "psnr": Question(
        name="psnr",
        aspects=dict.fromkeys(("one picture", "several pictures", "colour", "peak", "no difference", "bytes"), 0),
        tests={
            "one picture": "grey pictures, with noise and with a shift in brightness",
            "several pictures": "one number for each picture of a batch",
            "colour": "three channels, one number",
            "peak": "pictures in [0, 255] and in [0, 2]",
            "no difference": "a picture that is rebuilt exactly: inf",
            "bytes": "uint8 pictures, whose differences do not fit into uint8",
        },
        cases=psnr_cases,
        run=run_psnr,
        signature="psnr(x, y, peak=1.0), which takes pictures (B, C, H, W) and returns a tensor (B,)",
    ),
    "conv_autoencoder": Question(
        name="conv_autoencoder",
        aspects=dict.fromkeys(("digits", "other sizes", "colour", "maps", "all used"), 0),
        tests={
            "digits": "MNIST's pictures in and out, 16 numbers between",
            "other sizes": "larger pictures, and pictures that are not square",
            "colour": "three channels",
            "maps": "a decoder that begins where the encoder ended",
            "all used": "every layer has a part in the result",
        },
        cases=autoencoder_cases,
        run=run_autoencoder,
        signature="a class ConvAutoEncoder(in_shape, code) with self.encoder, (B, C, H, W) → (B, code), and "
        "self.decoder back",
    ),
}
