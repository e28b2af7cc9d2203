"""The chapter that is attacked, small enough for a whole class of attackers, and honest answers to it."""

from __future__ import annotations

from pathlib import Path

import nbformat
from courses import CHAPTER, SOLUTION, cell, chapter, course, released
from nbformat.v4 import new_code_cell

from grading.jail import Limits
from grading.release import release

# A cell that never ends costs seconds, not minutes; everything else is far below this on a busy machine too.
SHORT = Limits(memory=256 * 2**20, cpu=20, cell=4, cells=12, check=4, processes=24, disk=8 * 2**20, inodes=500)
SEED = "a-seed-that-no-page-may-show-7c1e"
SIZE, CORRELATE, WHY = "size", "correlate", "why"  # the three exercises, by grade_id
CHECKS = {"check-size": 5, "check-correlate": 4}
RIGHT_SIZE = SOLUTION.replace("ones * ", "")
RIGHT_CORRELATE = '''\
def cross_correlate2d(image, kernel):
    """The kernel's sum of products at every place where it lies wholly inside the image."""
    ### BEGIN SOLUTION
    (H, W), (h, w) = image.shape, kernel.shape
    rows = [[(image[i : i + h, j : j + w] * kernel).sum() for j in range(W - w + 1)] for i in range(H - h + 1)]
    return torch.stack([torch.stack(row) for row in rows])
    ### END SOLUTION

cross_correlate2d(torch.ones(3, 3), torch.ones(2, 2))'''
WRONG_SIZE = "def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):\n    return 12345"
WRONG_CORRELATE = "def cross_correlate2d(image, kernel):\n    return image * 0"
STRIDE_FORGOTTEN = "def conv_output_size(n, kernel_size, **settings):\n    return n - kernel_size + 1"
FLIPPED = RIGHT_CORRELATE.replace("* kernel)", "* kernel.flip(0, 1))")
# name: answers to the two exercises, what they are worth
HONEST = {
    "ada": (RIGHT_SIZE, RIGHT_CORRELATE, {"check-size": 5, "check-correlate": 4}),
    "bo": (RIGHT_SIZE, None, {"check-size": 5, "check-correlate": 0}),
    "cy": (STRIDE_FORGOTTEN, FLIPPED, {"check-size": 1, "check-correlate": 0}),
    "zed": (RIGHT_SIZE, RIGHT_CORRELATE, {"check-size": 5, "check-correlate": 4}),
}


def attacked():
    """The small chapter of the other tests, with a convolution to be built from scratch."""
    nb = chapter()
    nb.cells = [each for each in nb.cells if each.id not in ("picture", "one")]
    for each in nb.cells:
        if each.id == "setup":
            each.source += "\nimport torch"
        if each.id == SIZE:
            each.source = RIGHT_SIZE
    exercise = cell(new_code_cell, CORRELATE, RIGHT_CORRELATE, ["raises-exception"], solution=True)
    check = next(each for each in nb.cells if each.id == "check-size").source
    check = check.replace("conv_output_size", "cross_correlate2d")
    nb.cells[-1:-1] = [exercise, cell(new_code_cell, "check-correlate", check, grade=True, locked=True, points=4)]
    return nb


def lay_out(root: Path) -> Path:
    """A course folder with the chapter released."""
    course(root, attacked())
    release(root)
    return root


def answered(root: Path, size=None, correlate=None, why=None, before=(), after=()):
    """The released notebook with answers, and with cells of the learner's own at the top and at the end."""
    nb = released(root)
    for name, source in ((SIZE, size), (CORRELATE, correlate), (WHY, why)):
        if source is not None:
            next(each for each in nb.cells if each.id == name).source = source
    nb.cells[2:2] = [new_code_cell(source) for source in before]
    nb.cells += [new_code_cell(source) for source in after]
    return nb


def folder_of(root: Path, learner: str) -> Path:
    return root / "grading" / "submitted" / learner / CHAPTER


def dumped(nb) -> bytes:
    return nbformat.writes(nb).encode("utf-8", "surrogatepass")


def autograded(root: Path, learner: str):
    return nbformat.read(root / "grading" / "autograded" / learner / CHAPTER / f"{CHAPTER}.ipynb", as_version=4)
