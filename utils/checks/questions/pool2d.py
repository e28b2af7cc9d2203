"""Pool2d as a module: maximum, mean and p-norm over windows."""

import torch

from utils.checks.question import Case, Question
from utils.checks.questions.layer import ask_layer, build


def case(rng, aspect, size, kernel_size, *, batch=1, channels=1, small=False, needs=(), **settings):
    """A case with random numbers, negative ones too; the p-norm's are positive where p is odd."""
    shape = (batch, channels, *size)
    # Small whole numbers are all different, so that a maximum and its gradient belong to one pixel.
    x = rng.permutation(shape[2] * shape[3]).reshape(shape) - 5.0 if small else rng.standard_normal(shape)
    if settings.get("mode") == "lp" and settings.get("p", 2) % 2:
        x = abs(x) + 0.1
    given = {"kernel_size": kernel_size, **{k: v for k, v in settings.items() if k in SETTINGS}, "x": x}
    if "next_batch" in settings:
        b, h, w = settings["next_batch"]
        given["x2"] = rng.standard_normal((b, channels, h, w))
    given |= {k: v for k, v in settings.items() if k in ("gradients", "positional", "dtype", "layout", "exact")}
    return Case(aspect, given, needs, watched=small)


SETTINGS = ("stride", "padding", "mode", "p")


def cases(rng, wide):
    """The three modes, then what they share; heights and widths always different."""

    def ask(aspect, *args, **settings):
        return case(rng, aspect, *args, **settings)

    found = [
        ask("max", (4, 6), 2, small=True),
        ask("max", (6, 9), 3, exact=True),
        ask("max", (6, 4), (3, 2)),
        ask("max", (5, 7), (2, 3)),
        ask("max", (4, 6), 2, mode="max", dtype="float32"),
        ask("mean", (4, 6), 2, mode="mean", small=True),
        ask("mean", (6, 9), 3, mode="mean"),
        ask("mean", (5, 7), (2, 3), mode="mean"),
        ask("lp", (2, 4), 2, mode="lp", small=True),
        ask("lp", (4, 6), 2, mode="lp", p=2),
        ask("lp", (6, 4), 2, mode="lp", p=3),
        ask("lp", (4, 6), (2, 3), mode="lp", p=1),
        ask("lp", (5, 7), (2, 3), mode="lp", p=4),
        ask("lp", (6, 5), 2, mode="lp", p=2.5),
        ask("lp", (4, 5), 2, stride=1, padding=0, mode="lp", p=3, positional=True, needs=("stride",)),
        ask("stride", (3, 5), 2, stride=1, small=True),
        ask("stride", (7, 9), 3, stride=2),
        ask("stride", (8, 7), 2, stride=3),
        ask("stride", (7, 6), (3, 2), stride=(1, 2), mode="mean", needs=("mean",)),
        ask("stride", (6, 8), 2, stride=(3, 1), mode="lp", needs=("lp",)),
        ask("stride", (6, 7), 3, stride=(2, 1), positional=True),
        ask("padding", (2, 4), 2, padding=1, small=True),
        ask(
            "padding",
            (5, 6),
            3,
            padding=1,
            stride=2,
            needs=(
                "max",
                "stride",
            ),
        ),
        ask("padding", (6, 5), (2, 3), padding=(1, 0)),
        ask(
            "padding",
            (5, 6),
            (3, 4),
            padding=(0, 2),
            stride=1,
            needs=(
                "max",
                "stride",
            ),
        ),
        ask(
            "padding",
            (4, 7),
            3,
            padding=1,
            stride=2,
            mode="mean",
            needs=(
                "mean",
                "stride",
            ),
        ),
        ask(
            "padding",
            (5, 4),
            (4, 2),
            padding=(2, 1),
            stride=(1, 2),
            mode="mean",
            needs=(
                "mean",
                "stride",
            ),
        ),
        ask("padding", (5, 6), 2, padding=1, mode="lp", needs=("lp",)),
        ask("padding", (6, 4), (2, 3), padding=(0, 1), mode="lp", p=3, needs=("lp",)),
        ask("shapes", (4, 6), 2, batch=2, channels=3),
        ask("shapes", (5, 4), 2, batch=3, channels=2, mode="mean", needs=("mean",)),
        ask("shapes", (4, 5), (2, 1), batch=2, channels=2, mode="lp", next_batch=(3, 6, 4), needs=("lp",)),
        ask("shapes", (2, 3), (2, 3), batch=1, channels=2, next_batch=(2, 5, 8)),
        ask("shapes", (5, 6), (2, 3), batch=2, layout="columns first"),
        ask("gradients", (4, 6), 2, channels=2, gradients=True),
        ask(
            "gradients",
            (5, 7),
            3,
            stride=2,
            padding=1,
            gradients=True,
            needs=(
                "max",
                "stride",
                "padding",
            ),
        ),
        ask("gradients", (4, 5), 2, mode="mean", batch=2, gradients=True, needs=("mean",)),
        ask("gradients", (4, 5), 2, mode="lp", gradients=True, needs=("lp",)),
        ask("gradients", (5, 4), (2, 3), mode="lp", p=3, gradients=True, needs=("lp",)),
    ]
    return found + [surprise(rng) for _ in range(12)] if wide else found


def surprise(rng):
    """A case with everything drawn, for grading."""
    kernel, stride = (tuple(int(v) for v in rng.integers(1, 5, 2)) for _ in range(2))
    padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
    size = tuple(k + int(rng.integers(0, 5)) for k in kernel)
    mode, p = str(rng.choice(["max", "mean", "lp"])), int(rng.integers(1, 5))
    settings = {"stride": stride, "padding": padding, "mode": mode} | ({"p": p} if mode == "lp" else {})
    return case(
        rng, "padding", size, kernel, batch=int(rng.integers(1, 3)), channels=int(rng.integers(1, 4)), **settings
    )


def run(target, given):
    """Build the learner's layer and ask it."""
    named = {name: given[name] for name in SETTINGS if name in given}
    if given.get("positional"):
        layer = build(target, "Pool2d", given["kernel_size"], *named.values())
    else:
        layer = build(target, "Pool2d", given["kernel_size"], **named)
    return ask_layer(layer.to(getattr(torch, given.get("dtype", "float64"))), given)


QUESTIONS = {
    "pool2d": Question(
        name="pool2d",
        aspects={"max": 1, "mean": 0.5, "lp": 1, "stride": 1, "padding": 1, "shapes": 0.5, "gradients": 1},
        tests={
            "max": "windows of 2 and 3, oblong ones, negative numbers",
            "mean": "windows of 2 and 3, oblong ones",
            "lp": "p of 1 to 4, 2.5 among them",
            "stride": "the default, overlapping windows, gaps, different for height and width",
            "padding": "invisible to the maximum even where all is negative; zeros for mean and p-norm",
            "shapes": "batches, channels, another size through the same layer, pictures stored column by column",
            "gradients": "for the input, in all three modes",
        },
        cases=cases,
        run=run,
        signature='class Pool2d(kernel_size, stride=None, padding=0, mode="max", p=2)',
        from_scratch=True,
    ),
}
