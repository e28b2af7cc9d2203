"""What a bundle says of its trainings (bundle.json), read as a stranger's words: of bounded size, nothing believed.

Whatever is not as agreed becomes a sentence in `problems`, and the rest is read all the same. The format:

    {"format": 1, "data": {"name": "cifar10", "standin": false, …}, "test_opened": ["2026-11-21T10:00:00", …],
     "models": {"baseline": {"class": "Baseline", "chosen": 0, "runs": [RUN, …]}, "proposed": {…}},
     "ablation": [{"name": "without batch norm", "runs": [RUN, …]}, …]}
    RUN = {"seed": 0, "spec": {…}, "history": [{"epoch": 1, "loss": 1.5, "val_loss": …, "val_accuracy": …}, …],
           "val_accuracy": 0.84, "val_loss": 0.5, "test_accuracy": 0.83, "test_loss": 0.5, "seconds": 92.0}
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field

FIELDS_THAT_MAY_DIFFER = ("seed", "name")  # between the runs of both networks; everything else is one configuration
MOST = {"characters": 5_000_000, "runs": 20, "epochs": 1000, "fields": 40, "text": 200, "openings": 100}
NUMBERS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds", "lr")


@dataclass(frozen=True)
class Run:
    """One training. Accuracies are fractions; None where nothing was said."""

    seed: int = 0
    spec: dict = field(default_factory=dict)
    history: tuple[dict[str, float | None], ...] = ()
    val_accuracy: float | None = None
    val_loss: float | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Trained:
    """What is said of one network: its runs, and the seed of the one whose weights were handed in."""

    runs: tuple[Run, ...] = ()
    chosen: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def run(self) -> Run | None:
        """The run whose weights were handed in."""
        return next((run for run in self.runs if run.seed == self.chosen), self.runs[0] if self.runs else None)


@dataclass(frozen=True)
class Bundle:
    """All that bundle.json says."""

    models: dict[str, Trained]
    standin: bool = False
    test_opened: tuple[str, ...] = ()
    ablation: dict[str, tuple[Run, ...]] = field(default_factory=dict)


def nothing(why: str) -> Bundle:
    """What is known where nothing was handed in."""
    return Bundle({role: Trained(problems=(why,)) for role in ("baseline", "proposed")})


def parse(text: str | bytes) -> Bundle:
    """Read bundle.json; whatever it is, something comes back."""
    if len(text) > MOST["characters"]:
        return nothing(f"bundle.json has {len(text):,} characters; {MOST['characters']:,} are read.")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        return nothing(f"bundle.json is damaged: {type(error).__name__}. Call assignment.bundle() again.")
    if not isinstance(said, dict) or not isinstance(said.get("models"), dict):
        return nothing("bundle.json says nothing of the two networks. Call assignment.bundle() again.")
    data, opened, ablation = said.get("data"), said.get("test_opened"), said.get("ablation")
    return Bundle(
        {role: trained(role, said["models"].get(role)) for role in ("baseline", "proposed")},
        standin=not isinstance(data, dict) or data.get("standin") is not False,
        test_opened=tuple(str(when)[: MOST["text"]] for when in listed(opened, "openings")),
        ablation={
            str(each.get("name"))[: MOST["text"]]: runs_of(each)
            for each in listed(ablation, "runs")
            if isinstance(each, dict)
        },
    )


def trained(role: str, said) -> Trained:
    """What is said of one network."""
    if not isinstance(said, dict):
        return Trained(problems=(f"bundle.json says nothing of the {role} network.",))
    runs, chosen = runs_of(said), said.get("chosen")
    chosen = chosen if type(chosen) is int else None
    problems = []
    if len({run.seed for run in runs}) < len(runs):
        problems.append(f"Two runs of the {role} network have the same seed.")
    if runs and chosen not in {run.seed for run in runs}:
        problems.append(
            f"The {role} network's weights are said to be those of seed {chosen}, and there is no such run."
        )
    return Trained(runs, chosen, tuple(problems))


def runs_of(said: dict) -> tuple[Run, ...]:
    return tuple(run(each) for each in listed(said.get("runs"), "runs") if isinstance(each, dict))


def run(said: dict) -> Run:
    """One run, with whatever is not a number left out."""
    history = tuple(
        {key: number(row.get(key)) for key in NUMBERS}
        for row in listed(said.get("history"), "epochs")
        if isinstance(row, dict)
    )
    rest = {key: number(said.get(key)) for key in ("val_accuracy", "val_loss", "test_accuracy", "test_loss", "seconds")}
    seed = said.get("seed")
    return Run(seed if type(seed) is int else 0, spec(said.get("spec")), history, **rest)


def spec(said) -> dict:
    """A configuration, as plain values and texts."""
    if not isinstance(said, dict):
        return {}
    kept = {str(key)[: MOST["text"]]: plain(value) for key, value in list(said.items())[: MOST["fields"]]}
    return kept | ({"more": f"{len(said) - MOST['fields']} more fields"} if len(said) > MOST["fields"] else {})


def plain(value):
    """A value as it is, or as a text; of a long one, the beginning and a digest of it all."""
    if value is None or isinstance(value, bool | int | float):
        return value
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except RecursionError:
        return "(lists in lists, too deep to read)"
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return text if len(text) <= MOST["text"] else f"{text[: MOST['text']]}… ({digest})"


def number(value) -> float | None:
    """A finite number, or None."""
    plain_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if plain_number and math.isfinite(value) else None


def listed(value, most: str) -> list:
    """The beginning of a list; nothing if it is none."""
    return value[: MOST[most]] if isinstance(value, list) else []
