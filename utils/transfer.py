"""Chapter 07's transfer learning: what a network learned of some classes, used for others with few pictures.

    from utils import data, transfer
    animals = transfer.only(pictures, ("bird", "cat", "deer"))                 # three classes, labels 0, 1, 2
    net = transfer.frozen(pretrained, animals.x_train, animals.y_train, 3)     # only a new last layer learns
    net = transfer.trained(net, x, y, lr=1e-3)                                 # everything learns
    net = transfer.imagenet("resnet18")                                        # torchvision's, if it can be had

A network here has, as torchvision's ResNets have, a last dense layer called `fc`.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils import evaluation, training
from utils.data.download import DownloadError, Remote, _mirrors, _reachable
from utils.data.files import folder
from utils.data.image_data import ImageData


def only(pictures: ImageData, classes: Sequence[str]) -> ImageData:
    """The pictures of some classes, in the given order: the first becomes label 0.

    Raises
    ------
    ValueError : if there is no such class
    """
    unknown = [name for name in classes if name not in pictures.classes]
    if unknown:
        raise ValueError(f"no class is called {unknown[0]!r}; there are: {', '.join(pictures.classes)}.")
    new = torch.full((len(pictures.classes),), -1)
    new[[pictures.classes.index(name) for name in classes]] = torch.arange(len(classes))
    parts = {}
    for part in ("train", "val", "test"):
        y = new[getattr(pictures, f"y_{part}")]
        parts |= {f"x_{part}": getattr(pictures, f"x_{part}")[y >= 0], f"y_{part}": y[y >= 0]}
    return replace(pictures, classes=tuple(classes), **parts)


def fitted(features: torch.Tensor, y: torch.Tensor, classes: int, l2: float = 0.01) -> nn.Linear:
    """The dense layer that tells these features apart best: logistic regression, the same for the same features.

    Parameters
    ----------
    features : (N, D)
    l2 : what large weights cost, on features scaled to mean 0 and standard deviation 1
    """
    mean, std = features.mean(0), features.std(0, correction=0).clamp(min=1e-4)
    scaled = (features - mean) / std
    W, b = torch.zeros(classes, features.shape[1], requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([W, b], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(F.linear(scaled, W, b), y) + l2 * W.square().sum() / 2
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)
    layer = nn.Linear(features.shape[1], classes)
    with torch.no_grad():  # the scaling becomes part of the weights
        layer.weight.copy_(W / std)
        layer.bias.copy_(b - (W / std) @ mean)
    return layer


def frozen(net: nn.Module, x: torch.Tensor, y: torch.Tensor, classes: int) -> nn.Module:
    """A copy of `net` whose last layer `fc` is new and fits (x, y); everything before it is as it was.

    Quick, since the features of each picture are computed once; running means of batch norms stay as they are.
    """
    new = copy.deepcopy(net).eval()
    new.fc = fitted(evaluation.features(net, x), y, classes)
    return new


def trained(
    net: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    lr: float,
    steps: int = 200,
    batch_size: int = 50,
    seed: int = 0,
    augment: Sequence[Callable] = (),
) -> nn.Module:
    """A copy of `net`, of which everything has learned from (x, y): Adam, `steps` batches, the rate falling to zero."""
    new = copy.deepcopy(net)
    batch_size = min(batch_size, len(y))
    epochs = max(1, round(steps * batch_size / len(y)))
    training.fit(
        *(new, (x, y)),
        **{"epochs": epochs, "batch_size": batch_size, "lr": lr, "schedule": training.triangle(), "seed": seed},
        **{"augment": list(augment), "keep": "last", "device": "cpu", "precision": "float32", "progress": False},
    )
    return new


def renewed(net: nn.Module, classes: int, seed: int = 0) -> nn.Module:
    """A copy of `net` with a last layer that has learned nothing, for another number of classes."""
    new = copy.deepcopy(net)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        new.fc = nn.Linear(net.fc.in_features, classes)
    return new


# ── ImageNet ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Standardised(nn.Module):
    """A network of torchvision's behind its standardisation: takes pictures in [0, 1] and enlarges them."""

    def __init__(self, net: nn.Module, mean: Sequence[float], std: Sequence[float], size: int):
        super().__init__()
        from utils.models import Standardise

        self.standardise, self.size, self.net = Standardise(mean, std), size, net
        self.fc, net.fc = net.fc, nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [0, 1] → logits (B, classes)."""
        x = F.interpolate(self.standardise(x), size=(self.size, self.size), mode="bilinear", align_corners=False)
        return self.fc(self.net(x))


def imagenet(name: str = "resnet18", size: int = 96) -> nn.Module:
    """A ResNet of torchvision's with what it learned from ImageNet; pictures are enlarged to `size`×`size`.

    The weights are kept in the course's data folder. The mirrors of `CNN_COURSE_MIRRORS` are asked first.

    Raises
    ------
    DownloadError : if they are not there and cannot be fetched; its `short` says why
    """
    import torchvision

    weights = torchvision.models.get_model_weights(name).DEFAULT
    path = folder() / "weights" / weights.url.rsplit("/", 1)[1]
    net = torchvision.models.get_model(name)
    net.load_state_dict(stored(path, weights.url))
    settings = weights.transforms()
    return Standardised(net, settings.mean, settings.std, size).eval()


def stored(path: Path, url: str) -> dict[str, torch.Tensor]:
    """The weights of the file `path`, which is fetched from `url` or a mirror if it is not there or damaged."""
    if path.exists() and sound(path):
        return torch.load(path, map_location="cpu", weights_only=True)
    if os.environ.get("CNN_COURSE_OFFLINE", "0").strip() not in ("", "0"):
        raise DownloadError("CNN_COURSE_OFFLINE forbids downloads")
    path.unlink(missing_ok=True)
    problems, before = {}, socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)  # torch's own download would wait for ever
    try:
        for address in _reachable([*_mirrors(Remote(path.name, (url,), "", 0)), url], 4.0):
            try:  # torch looks whether the bytes are those that the name promises: …-f37072fd.pth
                with contextlib.redirect_stderr(sys.stdout):
                    return torch.hub.load_state_dict_from_url(
                        *(address, str(path.parent), "cpu"), progress=False, check_hash=True, weights_only=True
                    )
            except (OSError, RuntimeError) as error:
                problems[address] = " ".join(str(error).split())
    finally:
        socket.setdefaulttimeout(before)
    raise DownloadError(f"no server delivered {path.name}", "".join(f"\n  {at}: {why}" for at, why in problems.items()))


def sound(path: Path) -> bool:
    """Whether a file of weights has the checksum with which its name ends."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(path.stem.rsplit("-", 1)[1])
