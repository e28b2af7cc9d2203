"""Finding shapes: where each is, as a box, and what it is.

    net = detection.OneBox(size=48)                       # one shape: four numbers and a class
    net = detection.Detector()                            # any number: the same question in every cell of a grid
    detection.learn(net, data.scenes(2000), epochs=8)
    boxes, scores, classes = detection.found(net, scenes.x[0], threshold=0.5)

Boxes are x1, y1, x2, y2 in pixels from the left and top edge.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from utils.applications.loop import optimise
from utils.data.scenes import Scenes
from utils.models.standardise import Standardise

STRIDE = 8  # pixels: height and width of the cells of the detector's grid


def block(inputs: int, outputs: int, stride: int = 2) -> nn.Sequential:
    """A 3×3 convolution that may halve height and width, batch norm, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def trunk(width: int = 16) -> nn.Sequential:
    """What both networks share: (B, 3, H, W) → (B, 4 · width, H/8, W/8)."""
    return nn.Sequential(
        Standardise((0.4, 0.4, 0.4), (0.25, 0.25, 0.25)),
        block(3, width),  # (B, 16, H/2, W/2)
        block(width, 2 * width),  # (B, 32, H/4, W/4)
        block(2 * width, 4 * width),  # (B, 64, H/8, W/8)
        block(4 * width, 4 * width, stride=1),
    )


class OneBox(nn.Module):
    """For pictures with one shape: boxes (B, 4) in pixels, and logits (B, classes)."""

    def __init__(self, size: int = 48, classes: int = 4, width: int = 16, hidden: int = 64):
        super().__init__()
        self.size = size
        self.trunk = trunk(width)
        maps = 4 * width * (size // STRIDE) ** 2
        self.shared = nn.Sequential(nn.Flatten(), nn.Linear(maps, hidden), nn.ReLU())
        self.box, self.kind = nn.Linear(hidden, 4), nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures (B, 3, size, size) in [0, 1]."""
        features = self.shared(self.trunk(x))  # (B, hidden)
        return self.size * self.box(features).sigmoid(), self.kind(features)


class Detector(nn.Module):
    """For any number of shapes: every cell of 8×8 pixels says what is here, and how far its four edges are.

    Its head is a 1×1 convolution, so it takes pictures of any size that 8 divides.
    """

    def __init__(self, classes: int = 4, width: int = 16):
        super().__init__()
        self.classes = classes
        self.trunk = trunk(width)
        self.head = nn.Conv2d(4 * width, classes + 1 + 4, kernel_size=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, H, W) in [0, 1] → logits (B, classes + 1, H/8, W/8), the first is "nothing"; distances (B, 4, …)."""
        answers = self.head(self.trunk(x))
        kinds, edges = answers.split([self.classes + 1, 4], dim=1)
        return kinds, STRIDE * edges.clamp(-4, 4).exp()  # pixels to the left, top, right and bottom edge


def middles(rows: int, columns: int) -> torch.Tensor:
    """The middles of all cells, x and y in pixels, (rows, columns, 2)."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return STRIDE * (torch.stack([x, y], -1) + 0.5)


def targets(boxes: torch.Tensor, y: torch.Tensor, rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What every cell should say.

    A cell answers for a shape if its middle lies near the middle of the shape's box; for the nearest, if for several.

    Parameters
    ----------
    boxes, y : (B, K, 4) and (B, K), −1 where there is no shape

    Returns
    -------
    kinds : int64 (B, rows, columns): 0 nothing, c + 1 a shape of class c
    edges : (B, 4, rows, columns): distances to the left, top, right, bottom edge; to be used where there is a shape
    """
    at = middles(rows, columns)  # (rows, columns, 2)
    edges = torch.cat(
        [at - boxes[:, :, None, None, :2], boxes[:, :, None, None, 2:] - at], -1
    )  # (B, K, rows, columns, 4)
    half = (edges[..., :2] + edges[..., 2:]) / 2
    off = (edges[..., :2] - half).abs()  # from the box's middle
    near = (off <= (0.9 * half).clamp(min=STRIDE / 2)).all(-1) & (y >= 0)[:, :, None, None]  # (B, K, rows, columns)
    distance = torch.where(near, off.sum(-1), torch.inf)
    nearest = distance.argmin(1, keepdim=True)  # (B, 1, rows, columns)
    kinds = (y[:, :, None, None].expand_as(near).gather(1, nearest) + 1)[:, 0] * near.any(1)
    chosen = edges.gather(1, nearest[..., None].expand(-1, -1, -1, -1, 4))[:, 0]
    return kinds, chosen.permute(0, 3, 1, 2)


def losses(net: nn.Module, x: torch.Tensor, boxes: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two parts of the loss: classes (cross-entropy) and boxes (absolute differences, in tens of pixels).

    For `OneBox` the first shape of each scene counts, for `Detector` all do.
    """
    if isinstance(net, OneBox):
        found, kinds = net(x)
        return F.cross_entropy(kinds, y[:, 0]), F.l1_loss(found, boxes[:, 0]) / 10
    kinds, edges = net(x)
    wanted, distances = targets(boxes, y, *kinds.shape[2:])
    there = (wanted > 0)[:, None].expand_as(edges)
    return F.cross_entropy(kinds, wanted), F.l1_loss(edges[there], distances[there].clamp(min=0)) / 10


def learn(
    net: nn.Module, scenes: Scenes, *, epochs: int = 8, lr: float = 4e-3, batch_size: int = 25, seed: int = 0
) -> list[float]:
    """Train a detector: Adam, learning rate falling to zero. The mean loss of each epoch."""
    x, boxes, y = scenes.x.float() / 255, scenes.boxes, scenes.y

    def loss(chosen: torch.Tensor) -> torch.Tensor:
        return sum(losses(net, x[chosen], boxes[chosen], y[chosen]))

    return optimise(net, loss, len(x), epochs=epochs, lr=lr, batch_size=batch_size, seed=seed)


def answers(net: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network answers to pictures, uint8 or float (N, 3, H, W), in eval mode and without gradients."""
    x = x.float() / 255 if x.dtype == torch.uint8 else x
    net.eval()
    with torch.no_grad():
        parts = [net(part) for part in x.split(250)]
    first, second = (torch.cat(each) for each in zip(*parts, strict=True))
    return first, second


def boxes_of(kinds: torch.Tensor, edges: torch.Tensor, threshold: float) -> tuple[torch.Tensor, ...]:
    """One picture's answers as boxes: logits (classes + 1, rows, columns) and distances (4, rows, columns).

    Returns
    -------
    boxes (n, 4), scores (n,) and classes (n,) of the cells surer than `threshold`, the surest first
    """
    scores, labels = kinds.softmax(0)[1:].max(0)  # (rows, columns)
    at = middles(*scores.shape)
    corners = torch.cat([at - edges[:2].permute(1, 2, 0), at + edges[2:].permute(1, 2, 0)], -1)  # (rows, columns, 4)
    sure = scores > threshold
    order = scores[sure].argsort(descending=True, stable=True)
    return corners[sure][order], scores[sure][order], labels[sure][order]


def found(net: nn.Module, picture: torch.Tensor, threshold: float = 0.5, overlap: float | None = 0.5):
    """The shapes in one picture (3, H, W): boxes, scores, classes, the surest first.

    Parameters
    ----------
    overlap : of two boxes with a larger IoU the surer is kept (torchvision's `nms`); None keeps all
    """
    kinds, edges = answers(net, picture[None])
    return without_doubles(*boxes_of(kinds[0], edges[0], threshold), overlap)


def without_doubles(boxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, overlap: float | None):
    """Of two boxes with an IoU above `overlap` only the surer; None keeps all."""
    if overlap is None or not len(boxes):
        return boxes, scores, labels
    from torchvision.ops import nms

    kept = nms(boxes, scores, overlap)
    return boxes[kept], scores[kept], labels[kept]


def hits(boxes: torch.Tensor, labels: torch.Tensor, true_boxes: torch.Tensor, y: torch.Tensor, least: float = 0.5):
    """Which boxes, the surest first, are right: of the right class, IoU at least `least`, the shape not found before.

    Parameters
    ----------
    true_boxes, y : (K, 4) and (K,), −1 where there is no shape

    Returns
    -------
    bool (n,)
    """
    from torchvision.ops import box_iou

    free = y >= 0
    right = torch.zeros(len(boxes), dtype=torch.bool)
    shared = box_iou(boxes, true_boxes)  # (n, K)
    for i, label in enumerate(labels.tolist()):
        fitting = torch.where(free & (y == label), shared[i], -1.0)
        best = int(fitting.argmax())
        if fitting[best] >= least:
            right[i], free[best] = True, False
    return right


def precision_recall(net: nn.Module, scenes: Scenes, threshold: float = 0.5, overlap: float | None = 0.5, least=0.5):
    """Of the boxes the share that is right, and of the shapes the share that is found, over all scenes."""
    kinds, edges = answers(net, scenes.x)
    right = said = 0
    for i in range(len(scenes)):
        boxes, _, labels = without_doubles(*boxes_of(kinds[i], edges[i], threshold), overlap)
        right += int(hits(boxes, labels, scenes.boxes[i], scenes.y[i], least).sum())
        said += len(boxes)
    shapes = int((scenes.y >= 0).sum())
    return right / said if said else float("nan"), right / shapes


def one_box_scores(net: OneBox, scenes: Scenes) -> dict[str, float]:
    """How well the one shape of each scene is found: share of right classes, mean IoU, share with both (IoU ≥ 0.5)."""
    from torchvision.ops import box_iou

    boxes, kinds = answers(net, scenes.x)
    right = kinds.argmax(1) == scenes.y[:, 0]
    shared = box_iou(boxes, scenes.boxes[:, 0]).diagonal()
    return {
        "class": right.double().mean().item(),
        "iou": shared.mean().item(),
        "found": (right & (shared >= 0.5)).double().mean().item(),
    }
