"""From what a network answered to what is known about it: `rules.Facts`, for the learner's checklist and the grader.

The learner's checklist asks in its own process (`gather`); the grader asks in the jail, and reads the answers with the
same functions: `cases` makes the questions, `facts` reads the answers. Answers may have been written by a stranger, so
an array counts only if it has the type and the shape that were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Shown:
    """The pictures that a network is asked about, in one heap, and what nobody tells it.

    Attributes
    ----------
    x : uint8 (N, 3, 32, 32)
    y : int64 (N,)
    parts : name → indices into them
        "test" is what its accuracy is measured on, "val" are validation pictures, "altered" are altered copies of the
        test pictures "compared".
    """

    x: torch.Tensor
    y: torch.Tensor
    parts: dict[str, torch.Tensor]


def shown(images: dict[str, tuple[torch.Tensor, torch.Tensor]], order: torch.Generator | None = None) -> Shown:
    """Heap pictures and labels up by name; with a generator, in random order. "altered" are copies of test's first."""
    x, y = (torch.cat([each[i] for each in images.values()]) for i in (0, 1))
    begin, parts = 0, {}
    for name, (_, labels) in images.items():
        parts[name] = torch.arange(begin, begin + len(labels))
        begin += len(labels)
    if "altered" in parts:
        parts["compared"] = parts["test"][: len(parts["altered"])]
    if order is not None:
        mixed = torch.randperm(len(y), generator=order)
        places = mixed.argsort()
        x, y, parts = x[mixed], y[mixed], {name: places[indices] for name, indices in parts.items()}
    return Shown(x, y, parts)


def cases(weights: bytes, asked: Shown | None, few: tuple[torch.Tensor, torch.Tensor], seed: int = 0) -> list[Case]:
    """What one network is asked: no label is in it but those of the `few` training pictures.

    Parameters
    ----------
    weights : bytes of a safetensors file, or none
    asked : pictures to answer with these weights; None asks for no answers
    few : training pictures and labels, for the small training
    """
    pictures = np.zeros((0, 3, 32, 32), np.uint8) if asked is None else asked.x.numpy()
    return made_cases(weights, pictures, *(t.numpy() for t in few), seed)


def facts(
    cases: Sequence[Case], answers: Sequence[Outcome] | str, asked: Shown | None, few: tuple[torch.Tensor, torch.Tensor]
) -> Facts:
    """What is known about one network, from its outcomes; or from the sentence why there are none."""
    if isinstance(answers, str):
        return Facts(trouble=answers)
    if len(answers) != len(cases):
        return Facts(trouble=f"{len(answers)} answers came to {len(cases)} questions.")
    known: dict = {}
    for case, outcome in zip(cases, answers, strict=True):
        if case.aspect == "looks":
            known |= looks(outcome)
        elif case.aspect == "learns":
            known |= learned(outcome, few[1])
        else:
            known |= accuracies(outcome, asked)
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
    name = arrays.get("name")
    name = str(name)[:100] if name is not None and name.dtype.kind in "US" and name.shape == () else ""
    return {"name": name, "shapes": shapes} | numbers


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


def accuracies(outcome: Outcome, asked: Shown) -> dict:
    """The accuracy on each part of what was asked."""
    logits = None if outcome.trouble else logits_of(outcome.arrays.get("logits"), len(asked.y))
    if logits is None:
        why = trouble(outcome) if outcome.trouble else "with them, the logits are no finite numbers of shape (N, 10)."
        return {"weights": why}
    known = {name: share_right(logits[chosen], asked.y[chosen]) for name, chosen in asked.parts.items()}
    return {
        "accuracy": known["test"],
        "pictures": len(asked.parts["test"]),
        "val": known.get("val"),
        "val_pictures": len(asked.parts.get("val", ())),
        "unaltered": known.get("compared"),
        "altered": known.get("altered"),
    }


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


def altered(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Copies of uint8 pictures: mirrored, moved by up to a pixel, a little brighter or darker, with a little noise.

    Whoever knows what is on a picture knows it on such a copy too; a program that knows the file does not.
    """
    B, _, H, W = x.shape
    padded = F.pad(x.float().flip(3), (1, 1, 1, 1), mode="reflect").permute(0, 2, 3, 1)  # (B, H+2, W+2, C)
    top, left = torch.randint(3, (2, B, 1, 1), generator=generator)
    picture, rows, columns = torch.arange(B).view(B, 1, 1), torch.arange(H).view(1, H, 1), torch.arange(W).view(1, 1, W)
    moved = padded[picture, top + rows, left + columns].permute(0, 3, 1, 2)  # (B, C, H, W)
    light = 0.95 + 0.1 * torch.rand(B, 1, 1, 1, generator=generator)
    noise = torch.randint(-3, 4, x.shape, generator=generator)
    return (light * moved + noise).round().clamp(0, 255).to(torch.uint8)


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
    asked = None if pictures is None else shown({"test": pictures})
    models = {}
    for role in ROLES:
        made, network = cases(weights.get(role, b""), asked, few, seed), networks.get(role)
        answers = [attempt(questions.find("assignment_model"), network, case) for case in made] if network else ""
        models[role] = facts(made, answers or "it is not done yet.", asked, few)
    pair = "not there" if len(networks) < len(ROLES) else [
        attempt(questions.find("assignment_pair"), lambda: [networks[role] for role in ROLES],
                Case("pair", {"seed": seed}))
    ]  # fmt: skip
    return Evidence(models, bundle, same(pair))
