"""What the assignment's items ask for, and the judgement on each: the same for the learner's checklist and the grader.

    judged = rules.judge(evidence)        # {"models": Item, "name": Item, …}
    judged["spec"].text                   # "Both networks were trained with one configuration, in all 6 runs."

Nothing here runs a network or knows a label: `evidence` holds what was measured. What the points are worth and where
the limits lie stands in rules.toml.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from utils.assignment.record import FIELDS_THAT_MAY_DIFFER, Bundle, Run
from utils.checks.questions.assignment import STEPS

RULES = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
POINTS, LIMITS, ACCURACY = RULES["points"], RULES["limits"], RULES["accuracy"]
BY_HAND = ("ablation", "discussion")
ROLES = ("baseline", "proposed")
# What nobody calls a network of their own: the notebook's words, the course's networks, and those of the literature.
WORDS = (
    "my|your|the|a|an|new|own|some|this|proposed|baseline|placeholder|awesome|cool|best|better|good|improved|final|test|"
    "custom|simple|deep|big|small|neural|name|me|model|network|networks|net|cnn|conv|convnet|convolutional|classifier|"
    "module|class|cifar|cifar10|lenet|mlp|alexnet|vgg|resnet|densenet|mobilenet|efficientnet|googlenet|inception|fast|"
    "plus|pro|todo|tbd|foo|bar|baz|x+|v|change|student|solution|assignment|version|one|two|i+"
)
LONGEST_FIRST = "|".join(sorted(WORDS.split("|"), key=len, reverse=True))
# Possessive: a name of a thousand x takes no longer than any other.
PLACEHOLDERS = re.compile(rf"(?>{LONGEST_FIRST})?+[_\d]*+[a-z]?\d*+((?>{LONGEST_FIRST})[_\d]*+)*+", re.I)


@dataclass(frozen=True)
class Item:
    """The judgement on one item; `look` says why an instructor must decide (then no point is given before)."""

    name: str
    points: float
    worth: float
    text: str
    look: str = ""

    @property
    def passed(self) -> bool:
        return self.points == self.worth and not self.look


@dataclass(frozen=True)
class Facts:
    """What was seen of one network.

    Attributes
    ----------
    trouble : why it could not be made; then nothing else is known
    name : of its class
    shapes : by mode and number of pictures, "eval 1" or "train 5": the shape of the logits, or the error
    parameters, multiply_adds
    weights : why the weights that were handed in are no use; empty if they are
    accuracy, pictures : with these weights, measured on so many test pictures; None if it could not be
    val, val_pictures : the same on validation pictures
    unaltered, altered : accuracy on some of the test pictures, and on slightly altered copies; None if unknown
    losses : cross-entropy on a few training pictures, before and after a fresh network has learned them
    ready : accuracy on them before
    learning : why it could not be trained
    """

    trouble: str = ""
    name: str = ""
    shapes: dict[str, tuple[int, ...] | str] = field(default_factory=dict)
    parameters: int = 0
    multiply_adds: int = 0
    weights: str = ""
    accuracy: float | None = None
    pictures: int = 0
    val: float | None = None
    val_pictures: int = 0
    unaltered: float | None = None
    altered: float | None = None
    losses: tuple[float, float] | None = None
    ready: float = 0.0
    learning: str = ""


@dataclass(frozen=True)
class Evidence:
    """All that is judged.

    Attributes
    ----------
    same : whether both classes are one network, None if nobody knows
    signs : what in the notebook or the bundle speaks for the use of test pictures
    tampering : what in the definitions could change how networks are asked; what was measured then waits for a person
    """

    models: dict[str, Facts]
    bundle: Bundle
    same: bool | None = None
    signs: tuple[str, ...] = ()
    tampering: str = ""


def judge(evidence: Evidence) -> dict[str, Item]:
    """Every item that is not graded by hand."""
    judged = {item.name: item for item in (models(evidence), name(evidence), spec(evidence.bundle))}
    judged |= {"histories": histories(evidence.bundle), "reported": reported(evidence)}
    judged |= {"baseline": baseline(evidence), "proposed": proposed(evidence), "learns": learns(evidence)}
    if evidence.tampering:
        for measured in ("models", "name", "reported", *ROLES, "learns"):
            look = "; ".join(filter(None, (judged[measured].look, evidence.tampering)))
            judged[measured] = replace(judged[measured], look=look)
    return judged | {"test_unused": test_unused(evidence)}


def item(name: str, points: float, sentences: list[str], good: str, look: str = "") -> Item:
    """An item's judgement: what is wrong, in sentences, or else what is good."""
    return Item(name, points, POINTS[name], " ".join(sentences) or good, look)


# --- the networks -----------------------------------------------------------------------------------------------------


def models(evidence: Evidence) -> Item:
    """Two classes, genuinely different, pictures to logits in every mode, within the limits."""
    points, wrong = 0.0, []
    for role in ROLES:
        facts = evidence.models[role]
        if facts.trouble:
            wrong.append(f"The {role} network cannot be made: {facts.trouble}")
            continue
        for mode, worth in (("eval", 2), ("train", 1)):
            bad = [said for n in (1, 5) if (said := shape_trouble(role, mode, n, facts.shapes.get(f"{mode} {n}")))]
            points += 0 if bad else worth
            wrong += bad[:1]
        large = facts.parameters > LIMITS["parameters"]
        points += 0 if large else 1
        if large:
            wrong.append(
                f"The {role} network has {facts.parameters:,} parameters; {LIMITS['parameters']:,} are allowed."
            )
    work = sum(evidence.models[role].multiply_adds for role in ROLES)
    if work > LIMITS["multiply_adds"]:
        points -= 2
        wrong.append(f"The two need {work:,} multiply-adds for a picture; {LIMITS['multiply_adds']:,} are allowed.")
    if evidence.same is False:
        points += 2
    elif evidence.same is None and not any(evidence.models[role].trouble for role in ROLES):
        wrong.append("Whether the two are different could not be found out.")
    elif evidence.same:
        wrong.append(
            "Baseline and proposed are one and the same network: with the same numbers in them they give the same "
            "answers. Propose another one."
        )
    return item("models", max(points, 0), wrong, "Two different networks, pictures to logits, within the limits.")


def shape_trouble(role: str, mode: str, n: int, shape: tuple[int, ...] | str | None) -> str:
    """What is wrong with the logits for n pictures; empty if nothing is."""
    if shape == (n, 10):
        return ""
    asked = f"For {n} picture{'s' * (n > 1)} in {mode} mode, ({n}, 3, 32, 32), the {role} network"
    if isinstance(shape, tuple):
        return f"{asked} gives {shape}; ({n}, 10) is wanted."
    hint = ""
    if mode == "train" and n == 1 and "more than 1 value" in (shape or ""):
        hint = " BatchNorm1d cannot normalise over one picture: normalise before the picture is flattened, by 2d."
    return f"{asked} fails: {shape or 'no answer'}.{hint}"


def name(evidence: Evidence) -> Item:
    """The proposed network is called something that is its own."""
    facts = evidence.models["proposed"]
    if facts.trouble:
        return item("name", 0, ["There is no proposed network yet, so it has no name."], "")
    if not facts.name.isidentifier() or PLACEHOLDERS.fullmatch(facts.name):
        return item(
            "name", 0, [f"“{facts.name[:60]}” is a placeholder or somebody else's. Call your class what it is."], ""
        )
    return item("name", POINTS["name"], [], f"The proposed network is called {facts.name[:60]}.")


def learns(evidence: Evidence) -> Item:
    """A fresh network of each class learns a few pictures."""
    points, wrong, looks = 0.0, [], []
    for role, worth in zip(ROLES, (2, 3), strict=True):
        facts = evidence.models[role]
        why = facts.trouble or facts.learning
        if not why and facts.losses is None:
            why = "it was not tried."
        if why:
            wrong.append(f"A fresh {role} network could not be trained: {why}")
            continue
        before, after = facts.losses
        if not after < RULES["training"]["learned"] * min(before, math.log(10)):  # ln 10: the loss of a guesser
            said = (
                f"A fresh {role} network learned next to nothing from a few pictures in {STEPS} steps: its loss went "
                f"from {before:.2f} to {after:.2f}. Does the gradient reach its weights?"
            )
            wrong.append(said)
            if facts.accuracy is not None and facts.accuracy > RULES["training"]["ready"]:
                points += worth  # some good networks begin slowly: a person decides
                looks.append(f"a fresh {role} network hardly learned, but its weights are good")
            continue
        points += worth
        if facts.ready > RULES["training"]["ready"]:
            looks.append(f"a fresh {role} network is right for {facts.ready:.0%} before its first step")
    return item("learns", points, wrong, "Fresh networks of both classes learn.", "; ".join(looks))


# --- what was handed in -----------------------------------------------------------------------------------------------


def spec(bundle: Bundle) -> Item:
    """One configuration for both, compared field by field."""
    if missing := without_runs(bundle):
        return item("spec", 0, [f"There is no run of the {' and the '.join(missing)} network yet."], "")
    first = bundle.models["baseline"].runs[0].spec
    different: dict[str, tuple] = {}
    for role in ROLES:
        for run in bundle.models[role].runs:
            for key in sorted((first.keys() | run.spec.keys()) - set(FIELDS_THAT_MAY_DIFFER)):
                if first.get(key) != run.spec.get(key):
                    different.setdefault(key, (first.get(key), run.spec.get(key)))
    if not first:
        return item("spec", 0, ["The runs do not say with which configuration they were made."], "")
    if different:
        said = "; ".join(f"{key}: {str(a)[:40]} and {str(b)[:40]}" for key, (a, b) in list(different.items())[:5])
        text = f"The runs were made with different configurations ({said}). So a difference may come from there: train "
        return item("spec", 0, [text + "both networks with one spec."], "")
    runs = sum(len(bundle.models[role].runs) for role in ROLES)
    return item("spec", POINTS["spec"], [], f"Both networks were trained with one configuration, in all {runs} runs.")


def histories(bundle: Bundle) -> Item:
    """Losses and accuracies of both: all there, of the right length, and possible."""
    points, wrong, share = 0.0, [], POINTS["histories"] / len(ROLES)
    for role in ROLES:
        record = bundle.models[role]
        bad = list(record.problems) or [f"There is no run of the {role} network."] * (not record.runs)
        bad += [f"{role}, seed {run.seed}: {said}" for run in record.runs for said in history_troubles(run)]
        points += 0 if bad else share
        wrong += bad[:2]
    return item("histories", points, wrong, "Losses and accuracies of both networks are complete and possible.")


def history_troubles(run: Run) -> list[str]:
    """What is missing in a run's history, or cannot be."""
    epochs = run.spec.get("epochs")
    if not run.history:
        return ["the history is missing."]
    found = []
    if type(epochs) is not int:
        found.append("the configuration does not say how many epochs.")
    elif len(run.history) != epochs:
        found.append(f"the history has {len(run.history)} epochs, and the configuration says {epochs}.")
    if [row.get("epoch") for row in run.history] != list(range(1, len(run.history) + 1)):
        found.append("its epochs are not numbered 1, 2, 3 … in order.")
    columns = {"loss": "training loss", "val_loss": "validation loss", "val_accuracy": "validation accuracy"}
    for key, what in columns.items():
        values = [row.get(key) for row in run.history]
        if any(value is None for value in values):
            found.append(f"there is no {what} for every epoch ({key}).")
        elif not all(math.isfinite(value) and 0 <= value <= (1 if "accuracy" in key else 1e6) for value in values):
            found.append(f"the {what} has values that cannot be ({key}).")
    for key in ("val_accuracy", "test_accuracy"):
        value = getattr(run, key)
        if value is None:
            found.append(f"there is no {key.replace('_', ' ')}. Was the test set opened?")
        elif not 0 <= value <= 1:
            found.append(f"the {key.replace('_', ' ')} is {value:g}; it lies between 0 and 1.")
    kept = [row.get("val_accuracy") for row in run.history]
    if not found and min(abs(run.val_accuracy - value) for value in kept) > 0.01:
        found.append(f"the validation accuracy of the kept weights, {run.val_accuracy:.1%}, is that of no epoch.")
    return found


def without_runs(bundle: Bundle) -> list[str]:
    return [role for role in ROLES if not bundle.models[role].runs]


# --- accuracy ---------------------------------------------------------------------------------------------------------


def reported(evidence: Evidence) -> Item:
    """The test accuracy that is reported is that of the weights."""
    points, wrong, good = 0.0, [], []
    for role, worth in zip(ROLES, (6, 9), strict=True):
        facts, run = evidence.models[role], evidence.bundle.models[role].run
        said = None if run is None else run.test_accuracy
        if why := unmeasured(facts):
            wrong.append(f"The {role} network's accuracy could not be measured: {why}")
        elif said is None:
            wrong.append(f"No test accuracy of the {role} network is reported; measured: {facts.accuracy:.2%}.")
        elif not abs(said - facts.accuracy) <= ACCURACY["reported"]:
            wrong.append(
                f"The {role} network's reported test accuracy is {said:.2%}; with the weights that were handed in, "
                f"it is {facts.accuracy:.2%} on {facts.pictures:,} pictures."
            )
        else:
            points += worth
            good.append(f"{role} {facts.accuracy:.2%} (reported {said:.2%})")
    return item("reported", points, wrong, f"Measured with your weights: {', '.join(good)}.")


def unmeasured(facts: Facts) -> str:
    """Why there is no measured accuracy."""
    return facts.trouble or facts.weights or ("" if facts.accuracy is not None else "there are no weights.")


def baseline(evidence: Evidence) -> Item:
    return tiers("baseline", evidence, [("accuracy", "baseline", evidence.models["baseline"].accuracy)])


def proposed(evidence: Evidence) -> Item:
    """Its accuracy, and what it gains over the baseline."""
    mine, theirs = (evidence.models[role].accuracy for role in ("proposed", "baseline"))
    gain = None if mine is None or theirs is None else mine - theirs
    return tiers("proposed", evidence, [("accuracy", "proposed", mine), ("gain over the baseline", "gain", gain)])


def tiers(role: str, evidence: Evidence, parts: list[tuple[str, str, float | None]]) -> Item:
    """Points by accuracy; nothing is given before somebody has looked, where the measurement says too little."""
    facts = evidence.models[role]
    if why := unmeasured(facts):
        return item(role, 0, [f"The accuracy could not be measured: {why}"], "")
    points, said = 0.0, []
    for what, table, value in parts:
        if value is None:
            said.append(f"The {what} is not known.")
            continue
        value = round(value, 4)
        got = max((points for least, points in ACCURACY[table] if value >= least), default=0)
        if table == "gain" and not points:
            got = 0  # to be better than a baseline that knows nothing is no merit
        points += got
        more = next((f"; {points} from {least:.0%}" for least, points in ACCURACY[table] if value < least), "")
        said.append(f"{what.capitalize()}: {value:.2%}, {got} points{more}.")
    look = []
    if evidence.bundle.standin:
        look.append("trained on the stand-in pictures, on which these tiers say nothing")
    look += signs(role, evidence)
    return item(role, min(points, POINTS[role]), said, "", "; ".join(look))


def signs(role: str, evidence: Evidence) -> list[str]:
    """What speaks for test pictures having been used for this network."""
    facts, run, limits = evidence.models[role], evidence.bundle.models[role].run, RULES["suspicious"]
    if facts.accuracy is None or evidence.bundle.standin:
        return []
    found = []
    if facts.accuracy > limits["perfect"]:
        found.append(f"{role}: {facts.accuracy:.1%} of the test pictures right is more than such a network can")
    said = run.val_accuracy if run and 0 <= (run.val_accuracy or -1) <= 1 else None
    if said is not None and facts.val is not None and differ(said, 5000, facts.val, facts.val_pictures):
        found.append(f"{role}: {said:.1%} of validation pictures reported, {facts.val:.1%} of some of them measured")
    val, many = (said, 5000) if facts.val is None else (facts.val, facts.val_pictures)
    if val is not None and differ(facts.accuracy, facts.pictures, val, many):
        found.append(f"{role}: {facts.accuracy:.1%} of test pictures, but {val:.1%} of validation pictures")
    if None not in (facts.altered, facts.unaltered) and facts.unaltered - facts.altered > limits["altered"]:
        found.append(
            f"{role}: {facts.unaltered:.1%} of some test pictures, but {facts.altered:.1%} of copies that are altered "
            "so little that nobody sees it"
        )
    return found


def differ(a: float, n: int, b: float, m: int) -> bool:
    """Whether two accuracies, on n and on m pictures, lie further apart than chance and choosing put them."""
    p = min(max((a + b) / 2, 0.01), 0.99)
    chance = 4 * math.sqrt(p * (1 - p) * (1 / max(n, 1) + 1 / max(m, 1)))
    return abs(a - b) > chance + RULES["suspicious"]["above_validation"]


def test_unused(evidence: Evidence) -> Item:
    """A note for the instructor: signs that test pictures were used in training or in choosing."""
    found = [*evidence.signs, *(sign for role in ROLES for sign in signs(role, evidence))]
    opened = len(evidence.bundle.test_opened)
    if not opened and any(run.test_accuracy is not None for role in ROLES for run in evidence.bundle.models[role].runs):
        found.append("test accuracies are reported, and no opening of the test set is")
    if opened > 1:
        found.append(f"the test set was opened {opened} times, after the networks had been changed")
    text = "Nothing speaks for test pictures having been used in training."
    return Item("test_unused", 0.0, POINTS["test_unused"], "An instructor looks at this." if found else text,
                "; ".join(found))  # fmt: skip
