"""Chapter 09: overlap of boxes, one box for each object, mean IoU, the Gram matrix, a dense head as a convolution."""

import numpy as np
import torch

from utils.checks.question import Case, Objection, Question, as_array, untouched
from utils.checks.questions.layer import output

# ── iou ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def boxes_at(rng, n, spread=10.0):
    """Boxes x1, y1, x2, y2 with width and height of 2 to 8, none of them square."""
    corner = rng.uniform(0, spread, (n, 2))
    width = rng.uniform(2, 5, (n, 1))
    return np.concatenate([corner, corner + np.concatenate([width, width + rng.uniform(1, 3, (n, 1))], 1)], 1)


def pair(aspect, a, b, **more):
    return Case(aspect, {"a": np.array(a, float), "b": np.array(b, float)}, **more)


def iou_cases(rng, wide):
    cases = [
        pair("overlap", [[0, 0, 4, 2]], [[2, 1, 6, 4]]),
        pair("overlap", [[1, 2, 4, 8]], [[0, 3, 3, 5]]),
        pair("inside", [[0, 0, 6, 4]], [[2, 1, 4, 2]]),
        pair("inside", [[1, 1, 3, 6]], [[1, 1, 3, 6]]),
        pair("apart", [[0, 0, 2, 3]], [[5, 1, 8, 3]]),  # apart from left to right only
        pair("apart", [[0, 0, 3, 2]], [[1, 6, 3, 9]]),  # from top to bottom only
        pair("apart", [[0, 0, 2, 3]], [[5, 7, 9, 9]]),  # both: two negative numbers make a positive product
        pair("apart", [[0, 0, 2, 3]], [[2, 0, 5, 3]]),  # an edge in common
        Case("every pair", {"a": boxes_at(rng, 3), "b": boxes_at(rng, 2)}, ("overlap", "apart")),
        Case("every pair", {"a": boxes_at(rng, 2, 4), "b": boxes_at(rng, 2, 4)}, ("overlap", "apart")),
        Case("every pair", {"a": boxes_at(rng, 1), "b": boxes_at(rng, 4)}, ("overlap", "apart")),
    ]
    for _ in range(6 if wide else 0):
        n, m = (int(v) for v in rng.integers(1, 6, 2))
        cases.append(Case("every pair", {"a": boxes_at(rng, n), "b": boxes_at(rng, m)}, ("overlap", "inside", "apart")))
    return cases


def run_iou(target, given):
    a, b = torch.tensor(given["a"]), torch.tensor(given["b"])
    with untouched(a=a, b=b):
        return {"the IoU of every pair": as_array(target(a, b), "the result").astype("float64")}


# ── nms ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def crowd(rng, n):
    """Boxes around a few places, with scores in no order, none of them equal."""
    places = rng.uniform(0, 20, (3, 2))
    corner = places[rng.integers(0, 3, n)] + rng.uniform(0, 2.5, (n, 2))
    return {"boxes": np.hstack([corner, corner + np.array([5.0, 7.0])]), "scores": rng.permutation(n) / n + 0.01}


def suppression(aspect, boxes, scores, threshold=0.5, **more):
    given = {"boxes": np.array(boxes, float), "scores": np.array(scores, float), "threshold": threshold}
    return Case(aspect, given, **more)


def nms_cases(rng, wide):
    near = [[0, 0, 10, 8], [1, 0, 11, 8]]  # IoU 0.82
    chain = [[0, 0, 10, 4], [3, 0, 13, 4], [6, 0, 16, 4], [30, 0, 40, 4]]  # neighbours 0.54, the ends 0.25
    cases = [
        suppression("duplicates", near, [0.9, 0.8]),
        suppression("duplicates", [*near, [0, 1, 10, 9]], [0.7, 0.6, 0.65]),
        suppression("apart", [[0, 0, 4, 3], [20, 0, 24, 3]], [0.9, 0.8]),
        suppression("apart", [[0, 0, 4, 3], [2, 0, 6, 3], [9, 0, 13, 3]], [0.9, 0.8, 0.7]),  # IoU 0.33
        suppression("order", near, [0.3, 0.8]),
        suppression("order", [[0, 0, 4, 3], [20, 0, 24, 3], [0, 20, 4, 23]], [0.5, 0.9, 0.7]),
        suppression("chain", chain, [0.9, 0.8, 0.7, 0.6], needs=("duplicates", "apart")),
        suppression("chain", chain, [0.6, 0.7, 0.8, 0.9], needs=("duplicates", "apart", "order")),
        suppression("threshold", chain, [0.9, 0.8, 0.7, 0.6], 0.6),
        suppression("threshold", chain, [0.9, 0.8, 0.7, 0.6], 0.2),
        Case("chain", crowd(rng, 9) | {"threshold": 0.4}, ("duplicates", "apart", "order", "threshold")),
        suppression("none", np.zeros((0, 4)), np.zeros(0)),
    ]
    for _ in range(6 if wide else 0):
        threshold = float(rng.uniform(0.2, 0.8))
        cases.append(Case("chain", crowd(rng, int(rng.integers(2, 20))) | {"threshold": threshold}, ("duplicates",)))
    return cases


def run_nms(target, given):
    boxes, scores = torch.tensor(given["boxes"]), torch.tensor(given["scores"])
    with untouched(boxes=boxes, scores=scores):
        kept = target(boxes, scores, given["threshold"])
    if isinstance(kept, list):
        if any(isinstance(i, torch.Tensor) and i.numel() != 1 for i in kept):
            raise Objection("interface", "the list holds tensors of several numbers; it is to hold one number a box.")
        kept = torch.tensor([int(i) for i in kept], dtype=torch.long)
    return {"the numbers of the boxes kept": as_array(kept, "the result")}


# ── mean_iou ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def labelled(predicted, truth, classes):
    return {"predicted": np.array(predicted), "truth": np.array(truth), "classes": classes}


def mean_iou_cases(rng, wide):
    rows = [[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]]
    some = [[0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    three = rng.integers(0, 3, (2, 4, 5))
    few = np.where(rng.random((3, 4, 6)) < 0.8, 0, rng.integers(1, 4, (3, 4, 6)))  # mostly ground
    guess = np.where(rng.random(few.shape) < 0.6, few, rng.integers(0, 4, few.shape))
    one = np.zeros((2, 3, 4), int)
    one[0, :2, :3] = 1  # class 1 in the first picture only
    half = one.copy()
    half[0, 0], half[1, 2, 0] = 0, 1
    cases = [
        Case("two classes", labelled([some], [rows], 2)),
        Case("two classes", labelled([[[1, 1, 0], [1, 0, 0]]], [[[1, 0, 0], [0, 0, 0]]], 2)),
        Case("perfect", labelled(three, three, 3)),
        Case("more classes", labelled(rng.permutation(three.flatten()).reshape(three.shape), three, 3)),
        Case("more classes", labelled(guess, few, 4)),
        Case("never guessed", labelled(np.where(few == 3, 0, few), few, 4), ("more classes",)),
        Case("never guessed", labelled(np.zeros((1, 3, 4), int), [rows], 2), ("two classes",)),
        Case("several pictures", labelled(half, one, 2), ("two classes",)),
        Case("several pictures", labelled(guess[:2, :3], few[:2, :3], 4), ("more classes", "absent")),
        Case("absent", labelled([some], [rows], 4), ("two classes",)),
        Case("absent", labelled([[[2, 2, 0]]], [[[2, 0, 0]]], 5)),
        Case("never there", labelled([[[1, 2, 0, 0]]], [[[1, 0, 0, 0]]], 3)),
    ]
    for _ in range(6 if wide else 0):
        classes = int(rng.integers(2, 6))
        truth = rng.integers(0, classes, tuple(int(v) for v in rng.integers(2, 7, 3)))
        guess = np.where(rng.random(truth.shape) < 0.5, truth, rng.integers(0, classes, truth.shape))
        cases.append(Case("several pictures", labelled(guess, truth, classes), ("more classes", "absent")))
    return cases


def run_mean_iou(target, given):
    predicted, truth = torch.tensor(given["predicted"]), torch.tensor(given["truth"])
    with untouched(predicted=predicted, truth=truth):
        score = target(predicted, truth, given["classes"])
    score = torch.tensor(score) if isinstance(score, float | int) else score
    return {"the mean IoU": as_array(score, "the result").astype("float64")}


# ── gram_matrix ──────────────────────────────────────────────────────────────────────────────────────────────────────


def gram_cases(rng, wide):
    by_hand = np.array([[[[1.0, 2], [0, 1]], [[3, 0], [1, 2]]]])  # (1, 2, 2, 2)
    cases = [
        Case("one picture", {"maps": by_hand}),
        Case("one picture", {"maps": rng.standard_normal((1, 3, 2, 4))}),
        Case("one picture", {"maps": rng.standard_normal((1, 4, 3, 2)) + 1}),
        Case("sizes", {"maps": np.repeat(np.repeat(by_hand, 2, 2), 3, 3)}, ("one picture",)),  # every pixel six times
        Case("sizes", {"maps": rng.standard_normal((1, 2, 5, 3))}),
        Case("batch", {"maps": rng.standard_normal((3, 2, 3, 4))}, ("one picture",)),
        Case("batch", {"maps": rng.standard_normal((2, 2, 2, 3)) + 0.5}, ("one picture",)),
        Case("gradient", {"maps": rng.standard_normal((2, 3, 2, 2)), "gradients": True}, ("one picture", "batch")),
    ]
    for _ in range(5 if wide else 0):
        shape = tuple(int(v) for v in rng.integers((1, 1, 2, 2), (4, 6, 6, 6)))
        cases.append(Case("batch", {"maps": rng.standard_normal(shape)}, ("one picture", "sizes")))
    return cases


def run_gram(target, given):
    maps = torch.tensor(given["maps"], requires_grad=bool(given.get("gradients")))
    with untouched(maps=maps):
        found = target(maps)
    if not given.get("gradients"):
        return {"the Gram matrices": as_array(found, "the result")}
    if not isinstance(found, torch.Tensor) or not found.requires_grad:
        raise Objection("detached", "the maps")
    weights = torch.arange(1.0, found.numel() + 1, dtype=found.dtype).view_as(found)
    (gradient,) = torch.autograd.grad((found * weights).sum(), maps, allow_unused=True)
    if gradient is None:
        raise Objection("detached", "the maps")
    return {"the gradient of the maps": as_array(gradient, "the gradient")}


# ── as_convolution ───────────────────────────────────────────────────────────────────────────────────────────────────


def head_case(rng, aspect, maps, outputs, size=None, needs=(), bias=True):
    """A dense layer that was trained on maps of the shape `maps`, and maps of height and width `size` to try it on."""
    C, H, W = maps
    given = {
        "maps": maps,
        "weight": rng.standard_normal((outputs, C * H * W)),
        "bias": rng.standard_normal(outputs) if bias else None,
        "x": rng.standard_normal((2, C, *(size or (H, W)))),
    }
    return Case(aspect, given, needs)


def head_cases(rng, wide):
    cases = [
        head_case(rng, "one window", (1, 2, 2), 1),
        head_case(rng, "one window", (1, 3, 3), 2),
        head_case(rng, "channels", (2, 2, 2), 3),
        head_case(rng, "channels", (3, 4, 4), 2),
        head_case(rng, "not square", (1, 2, 3), 2),
        head_case(rng, "not square", (2, 3, 2), 2, needs=("channels",)),
        head_case(rng, "many windows", (1, 2, 2), 2, (4, 5), ("one window",)),
        head_case(rng, "many windows", (2, 2, 3), 3, (5, 6), ("channels", "not square")),
        head_case(rng, "1×1", (5, 1, 1), 3, (1, 1)),
        head_case(rng, "1×1", (4, 1, 1), 2, (3, 4)),
        head_case(rng, "no bias", (1, 2, 2), 2, needs=("one window",), bias=False),
    ]
    for _ in range(5 if wide else 0):
        C, H, W, more = (int(v) for v in rng.integers((1, 1, 1, 0), (5, 5, 5, 4)))
        size = (H + more, W + more + 1)
        everything = ("channels", "not square", "many windows")
        cases.append(head_case(rng, "many windows", (C, H, W), int(rng.integers(1, 5)), size, everything))
    return cases


def run_head(target, given):
    weight = torch.tensor(given["weight"])
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=given["bias"] is not None, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(weight)
        if given["bias"] is not None:
            linear.bias.copy_(torch.tensor(given["bias"]))
    torch.manual_seed(0)
    before = linear.weight.detach().clone()
    layer = target(linear, tuple(given["maps"]))
    if not isinstance(layer, torch.nn.Module):
        raise Objection("interface", "as_convolution returns a layer, an nn.Conv2d.")
    if layer is linear or not any(isinstance(part, torch.nn.Conv2d) for part in layer.modules()):
        raise Objection("interface", "what comes back is no convolution; an nn.Conv2d with the same weights is wanted.")
    if not torch.equal(before, linear.weight):
        raise Objection("input changed", "the dense layer")
    with torch.no_grad():
        answer = output(layer.double(), torch.tensor(given["x"]))
    return {"the layer's answer": as_array(answer, "the answer")}


QUESTIONS = {
    "iou": Question(
        name="iou",
        aspects=dict.fromkeys(("overlap", "inside", "apart", "every pair"), 0),
        tests={
            "overlap": "two boxes that overlap in part",
            "inside": "one box within the other, and two equal ones",
            "apart": "boxes beside, above and across from each other: 0",
            "every pair": "several boxes against several others: (N, M)",
        },
        cases=iou_cases,
        run=run_iou,
        signature="iou(a, b), which takes boxes (N, 4) and (M, 4) and returns a tensor (N, M)",
    ),
    "nms": Question(
        name="nms",
        aspects=dict.fromkeys(("duplicates", "apart", "order", "threshold", "chain", "none"), 0),
        tests={
            "duplicates": "several boxes on one object",
            "apart": "boxes that overlap little stay",
            "order": "the surest first, whatever order they come in",
            "threshold": "other thresholds",
            "chain": "a box that was dropped drops no other",
            "none": "no boxes at all",
        },
        cases=nms_cases,
        run=run_nms,
        signature="nms(boxes, scores, threshold=0.5), with boxes (N, 4) and scores (N,), which returns the numbers of "
        "the boxes that stay, the surest first",
    ),
    "mean_iou": Question(
        name="mean_iou",
        aspects=dict.fromkeys(
            ("two classes", "perfect", "more classes", "never guessed", "never there", "several pictures", "absent"), 0
        ),
        tests={
            "two classes": "ground and one class",
            "perfect": "labels that are all right: 1",
            "more classes": "three and four classes, one of them rare",
            "never guessed": "a class that is there and never said",
            "never there": "a class that is said and nowhere there",
            "several pictures": "one count over all pixels of all pictures",
            "absent": "classes that occur nowhere",
        },
        cases=mean_iou_cases,
        run=run_mean_iou,
        signature="mean_iou(predicted, truth, classes), with labels (N, H, W), which returns one number",
    ),
    "gram_matrix": Question(
        name="gram_matrix",
        aspects=dict.fromkeys(("one picture", "sizes", "batch", "gradient"), 0),
        tests={
            "one picture": "maps of one picture, height and width different",
            "sizes": "a larger picture of the same texture: the same matrix",
            "batch": "a matrix for each picture",
            "gradient": "the gradient that will change the pixels",
        },
        cases=gram_cases,
        run=run_gram,
        signature="gram_matrix(maps), which takes maps (B, C, H, W) and returns matrices (B, C, C)",
    ),
    "as_convolution": Question(
        name="as_convolution",
        aspects=dict.fromkeys(("one window", "channels", "not square", "many windows", "1×1", "no bias"), 0),
        tests={
            "one window": "maps of the size that the dense layer takes: its answer, (B, out, 1, 1)",
            "channels": "several maps",
            "not square": "maps whose height and width differ",
            "many windows": "larger maps: an answer at every place",
            "1×1": "a dense layer behind another one",
            "no bias": "a dense layer without bias",
        },
        cases=head_cases,
        run=run_head,
        signature="as_convolution(linear, maps), with an nn.Linear and the shape (C, H, W) of the maps it was made "
        "for, which returns an nn.Conv2d",
    ),
}
