"""From what a network answered to what is known about it: `rules.Facts`, for the learner's checklist and the grader.

The learner's checklist asks in its own process (`gather`); the grader asks in the jail, and reads the answers with the
same functions: `cases` makes the questions, `facts` reads the answers. Answers may have been written by a stranger, so
an array counts only if it has the type and the shape that were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from utils.assignment.record import Bundle
from utils.assignment.rules import ROLES, Evidence, Facts
from utils.checks import questions
from utils.checks.question import Case, Outcome, attempt
from utils.checks.questions.assignment import TRIED
from utils.checks.questions.assignment import cases as made_cases

LEARNED = 50  # pictures that a fresh network is trained on

Labelled = dict[str, tuple[torch.Tensor, torch.Tensor]]


def cases(weights: bytes, pictures: Labelled, few: tuple[torch.Tensor, torch.Tensor], seed: int = 0) -> list[Case]:
    """What one network is asked.

    Parameters
    ----------
    weights : bytes of a safetensors file, or none
    pictures : name → (uint8 (N, 3, 32, 32), labels (N,))
        "test" is what its accuracy is measured on; "altered" are copies of the first of these, slightly changed. The
        labels stay here.
    few : training pictures and labels, for the small training
    """
    return made_cases(weights, {name: x.numpy() for name, (x, _) in pictures.items()}, *(t.numpy() for t in few), seed)


def facts(asked: Sequence[Case], answers: Sequence[Outcome] | str, pictures: Labelled, y_few: torch.Tensor) -> Facts:
    """What is known about one network, from its outcomes; or from the sentence why there are none."""
    if isinstance(answers, str):
        return Facts(trouble=answers)
    if len(answers) != len(asked):
        return Facts(trouble=f"{len(answers)} answers came to {len(asked)} questions.")
    known: dict = {}
    for case, outcome in zip(asked, answers, strict=True):
        if case.aspect == "looks":
            known |= looks(outcome)
        elif case.aspect == "learns":
            known |= learned(outcome, y_few)
        elif case.given["do"] == "test":
            known |= accuracy(outcome, pictures)
        else:
            known |= altered_accuracy(outcome, pictures)
    return Facts(**known)


def looks(outcome: Outcome) -> dict:
    """Name, size, work and shapes."""
    if outcome.trouble:
        return {"trouble": trouble(outcome)}
    arrays = outcome.arrays
    shapes = {}
    for mode, n in TRIED:
        said = arrays.get(f"{mode} {n}")
        if said is not None and said.dtype.kind in "US":
            shapes[f"{mode} {n}"] = str(said)
        elif said is not None and said.dtype.kind == "i" and said.ndim == 1 and said.size < 9:
            shapes[f"{mode} {n}"] = tuple(said.tolist())
    numbers = {key: whole(arrays.get(key)) for key in ("parameters", "multiply_adds")}
    if None in numbers.values():
        return {"trouble": "it does not say how large it is."}
    return {"name": str(arrays.get("name", ""))[:100], "shapes": shapes} | numbers


def whole(array: np.ndarray | None) -> int | None:
    """A count, if the array is one."""
    return int(array) if array is not None and array.dtype.kind == "i" and array.shape == () and array >= 0 else None


def learned(outcome: Outcome, y: torch.Tensor) -> dict:
    """The loss before and after the small training."""
    if outcome.trouble:
        return {"learning": trouble(outcome)}
    before, after = (logits_of(outcome.arrays.get(key), len(y)) for key in ("before", "after"))
    if before is None or after is None:
        return {"learning": f"its logits are no finite numbers of shape ({len(y)}, 10)."}
    losses = float(F.cross_entropy(before, y)), float(F.cross_entropy(after, y))
    return {"losses": losses, "ready": share_right(before, y)}


def accuracy(outcome: Outcome, pictures: Labelled) -> dict:
    """The accuracy on the test pictures, and on those of them that are also asked for slightly altered."""
    y = pictures["test"][1]
    logits = None if outcome.trouble else logits_of(outcome.arrays.get("logits"), len(y))
    if logits is None:
        why = trouble(outcome) if outcome.trouble else "with them, the logits are no finite numbers of shape (N, 10)."
        return {"weights": why}
    known = {"accuracy": share_right(logits, y), "pictures": len(y)}
    if "altered" in pictures:
        n = len(pictures["altered"][1])
        known["unaltered"] = share_right(logits[:n], y[:n])
    return known


def altered_accuracy(outcome: Outcome, pictures: Labelled) -> dict:
    """The accuracy on the altered copies, if it can be had: that it cannot is said of the others already."""
    y = pictures["altered"][1]
    logits = None if outcome.trouble else logits_of(outcome.arrays.get("logits"), len(y))
    return {} if logits is None else {"altered": share_right(logits, y)}


def logits_of(array: np.ndarray | None, n: int) -> torch.Tensor | None:
    """Logits, if they are that: (n, 10), finite."""
    if array is None or array.dtype.kind != "f" or array.shape != (n, 10) or not np.isfinite(array).all():
        return None
    return torch.tensor(array).double()


def share_right(logits: torch.Tensor, y: torch.Tensor) -> float:
    return float((logits.argmax(1) == y).double().mean())


def trouble(outcome: Outcome) -> str:
    """What went wrong, in the words of the error."""
    found = outcome.trouble
    return "it is not done yet." if found.kind == "not done" else found.detail.removeprefix("ValueError: ")


def same(answers: Sequence[Outcome] | str) -> bool | None:
    """Whether both classes are one network, as far as anybody knows."""
    if isinstance(answers, str) or len(answers) != 1 or answers[0].trouble:
        return None
    said = answers[0].arrays.get("same")
    return bool(said) if said is not None and said.shape == () else None


def altered(x: torch.Tensor, seed: int) -> torch.Tensor:
    """Mirrored copies of uint8 pictures, moved by a pixel, each number changed by up to 3 of 255.

    Whoever knows what is on a picture knows it on such a copy too; a program that knows the file does not.
    """
    generator = torch.Generator().manual_seed(seed)
    moved = F.pad(x.float().flip(3), (1, 1, 1, 1), mode="reflect")[:, :, 2:, 2:]  # one pixel up and to the left
    noise = torch.randint(-3, 4, x.shape, generator=generator)
    return (moved + noise).clamp(0, 255).to(torch.uint8)


def few_of(x: torch.Tensor, y: torch.Tensor, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The same number of pictures of each class, LEARNED in all."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=generator)
    chosen = torch.cat([order[y[order] == label][: LEARNED // 10] for label in range(10)])
    return x[chosen], y[chosen]


def gather(
    networks: dict[str, type],
    bundle: Bundle,
    weights: dict[str, bytes],
    pictures: tuple[torch.Tensor, torch.Tensor] | None,
    few: tuple[torch.Tensor, torch.Tensor],
    seed: int = 0,
) -> Evidence:
    """Evidence from networks in this process: for the learner's own checklist.

    Parameters
    ----------
    networks : role → class; a missing one is not done yet
    weights : role → bytes of its safetensors file
    pictures : test pictures (uint8) and labels, to measure the accuracies on; None does not measure them
    few : training pictures and labels for the small training, see `few_of`
    """
    labelled = {} if pictures is None else {"test": pictures}
    models = {}
    for role in ROLES:
        asked = cases(weights.get(role, b""), labelled, few, seed)
        network = networks.get(role)
        answers = [attempt(questions.find("assignment_model"), network, case) for case in asked] if network else ""
        models[role] = facts(asked, answers or "it is not done yet.", labelled, few[1])
    pair = "not there" if len(networks) < len(ROLES) else [
        attempt(questions.find("assignment_pair"), lambda: [networks[role] for role in ROLES],
                Case("pair", {"seed": seed}))
    ]  # fmt: skip
    return Evidence(models, bundle, same(pair))
