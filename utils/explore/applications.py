"""The explorers of chapter 09: two boxes, a sliding window, a detector's threshold, labels, neighbours, styles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from utils import show
from utils.data.scenes import Scenes
from utils.explore.explorer import Explorer
from utils.explore.filters import told
from utils.explore.layers import slider
from utils.show import Picture


def share(description: str, value: float, low: float = 0.0, high: float = 1.0, step: float = 0.05):
    """A float slider of the same width as `slider`."""
    import ipywidgets

    layout, style = ipywidgets.Layout(width="250px"), {"description_width": "72px"}
    return ipywidgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=description, layout=layout, style=style
    )


def iou(a: Sequence[int] = (1, 1, 6, 5), width: int = 4, height: int = 4) -> Explorer:
    """Move and stretch a box over another, and see intersection, union and IoU.

    Parameters
    ----------
    a : x1, y1, x2, y2 of the box that stays, in units from 0 to 10
    width, height : of the other, at first
    """
    controls = {
        "x": slider("b: x1", 4, 0, 9),
        "y": slider("b: y1", 3, 0, 9),
        "width": slider("width", width, 1, 10),
        "height": slider("height", height, 1, 10),
    }

    def draw(x: int, y: int, width: int, height: int) -> Picture | str:
        if x + width > 10 or y + height > 10:
            return f"Box b would leave the plane, which ends at 10: x2 would be {x + width}, y2 {y + height}."
        return told(lambda: show.overlap(a, (x, y, x + width, y + height)))

    return Explorer(draw, controls)


def sliding(picture: torch.Tensor, answers: torch.Tensor, classes: Sequence[str]) -> Explorer:
    """Choose how far apart windows lie and how sure one must be.

    Parameters
    ----------
    picture : (3, H, W)
    answers : logits (classes + 1, rows, columns) of all windows, 4 pixels apart
    """
    import ipywidgets

    from utils.applications import windows

    steps = [windows.STRIDE * n for n in (1, 2, 4, 8) if windows.STRIDE * n <= min(picture.shape[1:]) - windows.SIZE]
    layout = ipywidgets.Layout(width="250px")
    controls = {
        "stride": ipywidgets.SelectionSlider(options=steps, value=steps[0], description="stride", layout=layout),
        "threshold": share("threshold", 0.9, 0.3, 0.99, 0.01),
    }

    def draw(stride: int, threshold: float) -> Picture | str:
        every = stride // windows.STRIDE
        return told(lambda: show.slid(picture, answers[:, ::every, ::every], threshold, stride, classes))

    return Explorer(draw, controls)


def detector(net: nn.Module, scenes: Scenes, nms: Callable | None = None) -> Explorer:
    """Choose a scene, how sure a box must be and how much two may overlap, and see what is found.

    Parameters
    ----------
    net : a `detection.Detector`
    nms : your own `nms(boxes, scores, threshold)`; torchvision's if none is given
    """
    from utils.applications import detection

    if nms is None:
        from torchvision.ops import nms
    kinds, edges = detection.answers(net, scenes.x)
    controls = {
        "scene": slider("scene", 0, 0, max(len(scenes) - 1, 1)),
        "threshold": share("threshold", 0.5, 0.05, 0.95),
        "overlap": share("overlap", 0.5, 0.05, 1.0),
    }

    def judged(i: int, threshold: float, overlap: float):
        boxes, scores, labels = detection.boxes_of(kinds[i], edges[i], threshold)
        kept = torch.as_tensor(nms(boxes, scores, overlap), dtype=torch.long)
        boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        return boxes, scores, labels, detection.hits(boxes, labels, scenes.boxes[i], scenes.y[i])

    def drawn(scene: int, threshold: float, overlap: float) -> Picture:
        scene = scene % len(scenes)
        several = [(scene + j) % len(scenes) for j in range(min(4, len(scenes)))]
        found = [judged(i, threshold, overlap) for i in several]
        captions = []
        for i, (_, _, _, right) in zip(several, found, strict=True):
            shapes = int((scenes.y[i] >= 0).sum())
            captions.append(f"{int(right.sum())} of {shapes} found, {int((~right).sum())} wrong")
        boxes, scores, labels, _ = zip(*found, strict=True)
        truth = [scenes.boxes[i][scenes.y[i] >= 0] for i in several]
        x = scenes.x[several]
        return show.boxed(
            x, boxes, labels, scenes.classes, scores=scores, truth=truth, captions=captions, columns=4, size=210
        )

    return Explorer(lambda **chosen: told(lambda: drawn(**chosen)), controls, columns=3)


def segmentation(net: nn.Module, classes: Sequence[str], size: int = 32, seed: int = 50) -> Explorer:
    """Draw scenes of any difficulty and see which class the network gives to each pixel.

    Parameters
    ----------
    net : pictures (B, 3, H, W) → logits (B, classes + 1, H, W)
    """
    from utils.applications import segmentation
    from utils.data.scenes import scenes

    controls = {
        "scene": slider("scene", 0, 0, 20),
        "covered": share("covered", 0.0, 0.0, 0.9, 0.1),
        "dark": share("dark", 0.0, 0.0, 1.0, 0.1),
        "turn": slider("turn (°)", 0, 0, 70),
    }

    def drawn(scene: int, covered: float, dark: float, turn: int) -> Picture:
        some = scenes(6, seed + scene, size=size, objects=(1, 2), covered=covered, dark=dark, turn=float(turn))
        labels = segmentation.labels(net, some.x)
        scores = [
            segmentation.class_iou(*pair, len(classes) + 1).nanmean() for pair in zip(labels, some.masks, strict=True)
        ]
        captions = [f"mIoU {float(score):.2f}" for score in scores]
        return show.segmented(some.x, {"truth": some.masks, "network": labels}, classes, captions=captions, size=120)

    return Explorer(lambda **chosen: told(lambda: drawn(**chosen)), controls)


def retrieval(x: torch.Tensor, y: torch.Tensor, ways: dict[str, torch.Tensor], classes: Sequence[str]) -> Explorer:
    """Choose a picture and see the most similar ones of all others, by each way of comparing.

    Parameters
    ----------
    x : (N, C, H, W)
    y : labels (N,)
    ways : by name: vectors of length 1, (N, D)
    """
    from utils.applications import retrieval

    others = len(x) - 1
    controls = {"picture": slider("picture", 0, 0, others), "k": slider("k", min(6, others), 1, min(8, others))}

    def drawn(picture: int, k: int) -> Picture:
        found, right = {}, {}
        for name, vectors in ways.items():
            order = retrieval.nearest(vectors[picture : picture + 1], vectors, k + 1)
            order = order[order != picture][None, :k]  # not itself
            found[name], right[name] = x[order], y[order] == y[picture]
        return show.retrieved(x[picture : picture + 1], found, right, names=[classes[int(y[picture])]])

    return Explorer(lambda **chosen: told(lambda: drawn(**chosen)), controls)


def style(content: torch.Tensor, model: torch.Tensor, runs: dict[float, dict]) -> Explorer:
    """Choose how much style weighs and how far to go, among pictures that were made before.

    Parameters
    ----------
    content, model : (3, H, W), of the same size
    runs : by weight, what `style.restyle` gives
    """
    import ipywidgets

    weights = sorted(runs)
    steps = runs[weights[0]]["steps"]
    layout, words = ipywidgets.Layout(width="300px"), {"description_width": "72px"}
    controls = {
        "weight": ipywidgets.SelectionSlider(
            options=[(f"{w:g}", w) for w in weights],
            value=weights[len(weights) // 2],
            description="weight",
            layout=layout,
            style=words,
        ),
        "step": ipywidgets.SelectionSlider(
            options=steps, value=steps[-1], description="step", layout=layout, style=words
        ),
    }

    def drawn(weight: float, step: int) -> Picture:
        run = runs[weight]
        i = run["steps"].index(step)
        captions = [
            f"content, {run['content'][i]:.2f} away",
            f"style, {run['style'][i]:.3f} away",
            f"weight {weight:g}, step {step}",
        ]
        return show.gallery(torch.stack([content, model, run["pictures"][i]]), captions=captions, columns=3, size=220)

    return Explorer(lambda **chosen: told(lambda: drawn(**chosen)), controls)
