"""Chapter 09's checks: right answers in several styles pass, what is wrong otherwise is said."""

import numpy as np
import pytest
import torch
import torchvision
from graded import graded, widened
from torch import nn

from utils.checks import answers, judged


def iou_in_loops(a, b):
    found = torch.zeros(len(a), len(b), dtype=a.dtype)
    for i, (x1, y1, x2, y2) in enumerate(a.tolist()):
        for j, (u1, v1, u2, v2) in enumerate(b.tolist()):
            w, h = min(x2, u2) - max(x1, u1), min(y2, v2) - max(y1, v1)
            common = w * h if w > 0 and h > 0 else 0.0
            found[i, j] = common / ((x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - common)
    return found


def iou_in_arrays(a, b):
    a, b = a.numpy()[:, None], b.numpy()
    width = np.clip(np.minimum(a[..., 2], b[:, 2]) - np.maximum(a[..., 0], b[:, 0]), 0, None)
    height = np.clip(np.minimum(a[..., 3], b[:, 3]) - np.maximum(a[..., 1], b[:, 1]), 0, None)
    sizes = [(box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) for box in (a, b)]
    return width * height / (sizes[0] + sizes[1] - width * height)


def nms_of_what_is_left(boxes, scores, threshold=0.5):
    left, kept = scores.argsort(descending=True), []
    while len(left):
        kept.append(left[0])
        shared = iou_in_loops(boxes[left[:1]], boxes[left[1:]])[0]
        left = left[1:][shared <= threshold]
    return kept  # a list of tensors


def nms_by_crossing_out(boxes, scores, threshold=0.5):
    alive, kept = scores.clone(), []
    while len(alive) and alive.max() > -torch.inf:
        best = int(alive.argmax())
        kept.append(best)
        alive[iou_in_loops(boxes[best : best + 1], boxes)[0] > threshold] = -torch.inf
        alive[best] = -torch.inf
    return torch.tensor(kept, dtype=torch.int32)


def mean_iou_by_counting(predicted, truth, classes):
    table = (
        torch.bincount((classes * truth + predicted).flatten(), minlength=classes**2).view(classes, classes).double()
    )
    union = table.sum(0) + table.sum(1) - table.diagonal()
    return float((table.diagonal() / union).nanmean())


def mean_iou_in_sets(predicted, truth, classes):
    found = []
    for c in range(classes):
        said, there = (set((m.flatten() == c).nonzero().flatten().tolist()) for m in (predicted, truth))
        if said | there:
            found.append(len(said & there) / len(said | there))
    return np.mean(found)


def gram_by_einsum(maps):
    _, C, H, W = maps.shape
    return torch.einsum("bchw,bdhw->bcd", maps, maps) / (C * H * W)


def gram_picture_by_picture(maps):
    rows = [one.reshape(len(one), -1) for one in maps]
    return torch.stack([torch.mm(row, row.t()).div(row.numel()) for row in rows])


def head_with_new_parameters(linear, maps):
    layer = nn.Conv2d(maps[0], linear.out_features, maps[1:], bias=False)
    layer.weight = nn.Parameter(linear.weight.detach().reshape(-1, *maps))
    layer.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().clone())
    return layer


def head_by_state(linear, maps):
    layer = nn.Conv2d(maps[0], linear.out_features, maps[1:], bias=linear.bias is not None)
    state = dict(linear.state_dict())
    state["weight"] = state["weight"].unflatten(1, maps)
    layer.load_state_dict(state)
    return layer


STYLES = {
    "iou": [iou_in_loops, iou_in_arrays],
    "nms": [nms_of_what_is_left, nms_by_crossing_out],
    "mean_iou": [mean_iou_by_counting, mean_iou_in_sets],
    "gram_matrix": [gram_by_einsum, gram_picture_by_picture],
    "as_convolution": [head_with_new_parameters, head_by_state],
}
RIGHT = [(name, style) for name, styles in STYLES.items() for style in styles]


@pytest.mark.parametrize(("name", "style"), RIGHT)
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


@pytest.mark.parametrize(("name", "style"), RIGHT)
def test_correct_styles_pass_with_wider_cases(name, style):
    assert widened(name) > 0
    graded(name, style)


def unclamped(a, b):
    """As somebody writes it who does not think of boxes apart."""
    sides = torch.min(a[:, None, 2:], b[:, 2:]) - torch.max(a[:, None, :2], b[:, :2])
    common = sides[..., 0] * sides[..., 1]
    sizes = [(box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) for box in (a, b)]
    return common / (sizes[0][:, None] + sizes[1] - common)


def bias_by_default(linear, maps):
    """As somebody writes it who does not know that a layer may have none."""
    layer = nn.Conv2d(maps[0], linear.out_features, kernel_size=maps[1:])
    layer.weight.data = linear.weight.data.reshape(layer.weight.shape)
    if linear.bias is not None:
        layer.bias.data = linear.bias.data
    return layer


def every_surer_box(boxes, scores, threshold=0.5):
    """Two loops over all pairs, without asking whether the surer box is still there."""
    kept = []
    for i in scores.argsort(descending=True).tolist():
        if not any(
            scores[j] > scores[i] and iou_in_loops(boxes[[i]], boxes[[j]]) > threshold for j in range(len(boxes))
        ):
            kept.append(i)
    return kept


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("iou", unclamped, "two *negative* lengths, which is positive"),
        ("iou", lambda a, b: iou_in_loops(a, b).tolist(), "not a tensor"),
        ("iou", lambda a, b: iou_in_loops(a.mul_(2), b * 2), "the a is changed in place"),
        ("iou", lambda a, b: torchvision.ops.distance_box_iou(a, b), "wrong values"),
        ("nms", every_surer_box, "a box that was itself dropped still drops others"),
        ("nms", lambda boxes, scores, threshold=0.5: None, "nothing comes back"),
        ("nms", lambda boxes, scores, threshold=0.5: [boxes], "one number a box"),
        ("mean_iou", lambda p, t, c: (p == t).double().mean().item(), "that is the share of pixels that are right"),
        ("mean_iou", lambda p, t, c: torch.zeros(c), "shape"),
        ("gram_matrix", lambda m: m.flatten(2) @ m.flatten(2).mT, "you add up over the pixels and do not divide"),
        ("gram_matrix", lambda m: torch.tensor(gram_by_einsum(m).tolist()), "no gradient comes back to the maps"),
        ("as_convolution", bias_by_default, "your convolution has one of its own, with random numbers"),
        ("as_convolution", lambda linear, maps: linear.weight, "returns a layer, an nn.Conv2d"),
        ("as_convolution", lambda linear, maps: nn.Conv2d(maps[0], 1, 99), "stops with an error"),
    ],
)
def test_what_is_wrong_is_said(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text, report.text


def test_the_references_are_those_of_kept_libraries():
    rng = np.random.default_rng(0)
    a, b = (torch.tensor(rng.uniform(0, 5, (n, 2))) for n in (3, 4))
    a, b = torch.cat([a, a + 2], 1), torch.cat([b, b + 3], 1)
    assert torch.allclose(answers.find("iou").reference(a, b), iou_in_loops(a, b))
    assert answers.find("gram_matrix").reference(torch.rand(1, 2, 3, 3, requires_grad=True)).requires_grad


def test_there_are_as_many_mistakes_as_promised():
    assert sum(len(answers.find(name).mistakes) for name in STYLES) >= 60
