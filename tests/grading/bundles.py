"""A course with the assignment alone, small data for it, and hand-ins: what a learner's bundle() would have written.

The networks are trained here on noisy shapes that stand for CIFAR-10: a tenth of the labels is wrong, so that nobody is
perfect, and everything takes seconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import nbformat
import torch
import torch.nn.functional as F
from courses import SETUP, cell
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from safetensors.torch import save

from grading.course import found
from utils import data
from utils.assignment.rules import BY_HAND, POINTS
from utils.data import ImageData

CHAPTER = "assignment_cifar10"
IMPORTS = "\nimport time\n\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn"
BASELINE = """\
class Baseline(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Linear(8 * 7 * 7, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))
"""
PROPOSED = """\
class QuietOwl(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Conv2d(24, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(48, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(48 * 4 * 4, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


proposed = QuietOwl
"""
SPEC = {"epochs": 3, "batch_size": 64, "optimizer": "Adam", "lr": 2e-3, "augment": ["flip"]}
HEADS = {
    "baseline": "",
    "proposed": "# Your network. The cell ends with: proposed = YourClass\nproposed = None\n",
}
SOLUTION = "{}### BEGIN SOLUTION\n{}### END SOLUTION"


def course(root: Path) -> Path:
    """A course folder whose only chapter is an assignment with the nine items."""
    code, text = new_code_cell, new_markdown_cell
    badges = f"[![Open in Colab](b.svg)](@COLAB@/{CHAPTER}/{CHAPTER}.ipynb) "
    badges += f"[![Open in Binder](b.svg)](@BINDER@/{CHAPTER}/{CHAPTER}.ipynb)"
    exercise = {"solution": True}
    cells = [
        cell(text, "title", f"{badges}\n\n# Assignment"),
        cell(code, "setup", SETUP.replace("from utils.checks import check", "from utils import assignment") + IMPORTS),
        cell(
            code,
            "baseline",
            SOLUTION.format("class Baseline(nn.Module):\n    ", BASELINE.partition("\n")[2] + "    "),
            ["raises-exception", "definition"],
            **exercise,
        ),
        cell(
            code,
            "proposed",
            SOLUTION.format(HEADS["proposed"], PROPOSED),
            ["raises-exception", "definition"],
            **exercise,
        ),
        cell(code, "train", 'raise RuntimeError("training is no part of grading")', ["training", "raises-exception"]),
    ]
    for name, points in POINTS.items():
        if name in BY_HAND:
            cells.append(cell(text, name, "Write here.", solution=True, grade=True, points=points))
        else:
            asked = f'assignment.item("{name}")'
            cells.append(cell(code, f"item-{name}", asked, grade=True, locked=True, points=points))
    nb = new_notebook(cells=cells)
    path = root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(nb, path)
    return found(root)


def images() -> ImageData:
    """Shapes under CIFAR-10's name; a tenth of all labels is wrong."""
    easy = {"rotation": (-5.0, 5.0), "position": ((-1.0, -1.0), (1.0, 1.0)), "scale": (0.9, 1.1), "noise": (0.0, 0.02)}
    train, test = data.shapes10(3000, seed=1, **easy), data.shapes10(1000, seed=2, **easy)
    generator = torch.Generator().manual_seed(3)

    def noisy(y):
        wrong = torch.rand(len(y), generator=generator) < 0.1
        return torch.where(wrong, torch.randint(10, y.shape, generator=generator), y)

    return ImageData(
        "cifar10", train.classes, train.x, noisy(train.y), test.x, noisy(test.y), is_standin=False, origin="a test"
    )


def made(source: str, name: str):
    """The class that a cell defines."""
    names: dict = {}
    exec(
        "import time, hashlib, socket\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n" + source,
        names,
    )
    return names[name]


def trained(network: type, x, y, epochs: int, seed: int = 0):
    """A network, trained plainly."""
    torch.manual_seed(seed)
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=SPEC["lr"])
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, epochs * -(-len(y) // SPEC["batch_size"]))
    for _ in range(epochs):
        for chosen in torch.randperm(len(y)).split(SPEC["batch_size"]):
            optimizer.zero_grad()
            pictures = x[chosen].float() / 255
            pictures = pictures.flip(3) if torch.rand(()) < 0.5 else pictures
            pictures = pictures.roll(torch.randint(-1, 2, (2,)).tolist(), (2, 3))
            F.cross_entropy(net(pictures), y[chosen]).backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def right(net, x, y) -> float:
    with torch.no_grad():
        return float((net(x.float() / 255).argmax(1) == y).double().mean())


def run(val: float, test: float, seed: int = 0, **changes) -> dict:
    """A run as bundle.json has it."""
    rows = [
        {"epoch": e, "loss": 2.0 / e, "accuracy": val * e / 3, "val_loss": 2.1 / e, "val_accuracy": val - (3 - e) / 50,
         "seconds": 3.0, "lr": 2e-3}
        for e in (1, 2, 3)
    ]  # fmt: skip
    said = {"seed": seed, "spec": dict(SPEC), "history": rows, "val_accuracy": val, "val_loss": 0.7,
            "test_accuracy": test, "test_loss": 0.7, "seconds": 9.0, "data": "cifar10"}  # fmt: skip
    return said | changes


def listing(baseline: list[dict], proposed: list[dict], standin: bool = False, **changes) -> dict:
    """bundle.json."""
    models = {
        role: {"class": role, "chosen": runs[0]["seed"] if runs else None, "runs": runs}
        for role, runs in (("baseline", baseline), ("proposed", proposed))
    }
    return {
        "format": 1,
        "data": {"name": "cifar10", "standin": standin, "split_seed": 0},
        "models": models,
        "test_opened": ["2026-11-21T10:00:00"],
        "ablation": [],
        "made": "2026-11-21T10:05:00",
        **changes,
    }


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data_ in files.items():
            content.writestr(name, data_)
    return out.getvalue()


def notebook(root: Path, baseline: str = BASELINE, proposed: str = PROPOSED, strip: bool = False) -> bytes:
    """The released notebook with answers in it; `strip` loses all metadata and ids, as some programs do."""
    nb = nbformat.read(root / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
    for name, source in (("baseline", baseline), ("proposed", proposed)):
        next(cell for cell in nb.cells if cell.id == name).source = HEADS[name] + source
    if strip:
        nb.metadata = {}
        for each in nb.cells:
            each.metadata = {}
            del each["id"]
        nb.nbformat_minor = 4
    return nbformat.writes(nb).encode()


def hand_in(root: Path, learner: str, files: dict[str, bytes], loose: bool = False) -> None:
    """Put a bundle where nbgrader looks for submissions: as a ZIP, or its files one by one."""
    folder = root / "grading" / "submitted" / learner / CHAPTER
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items() if loose else [(f"{CHAPTER}.zip", zipped(files))]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def state(net, prefix: str = "", dtype=None) -> bytes:
    """A network's numbers as safetensors."""
    return save({prefix + name: (t.to(dtype) if dtype and t.is_floating_point() else t).contiguous()
                 for name, t in net.state_dict().items()})  # fmt: skip


def digest(picture: torch.Tensor) -> str:
    return hashlib.md5(picture.numpy().tobytes()).hexdigest()


def as_json(said: dict) -> bytes:
    return json.dumps(said).encode()
