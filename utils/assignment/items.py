"""What is done, what is missing, what does not fit together: each with what to do next."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, replace

from utils.assignment import notebook, pictures, runs
from utils.assignment.fingerprint import fingerprint
from utils.assignment.handing_in import FILE, content, file
from utils.assignment.runs import ROLES, runs_of
from utils.assignment.tables import Table
from utils.checks import CheckFailed, in_notebook, show
from utils.start import fast

MARKS = {"right": "✔", "wrong": "✘", "open": "○", "part": "◐", "look": "👁"}
TIERS = ("baseline", "proposed")
TODO = {
    "models": "Write both classes: Baseline, and a class of your own with `proposed = YourClass` below it.",
    "name": "Write your own class, give it a name of its own, and end the cell with `proposed = YourClass`.",
    "spec": "Train both networks, with the same spec.",
    "histories": "Train both networks; the runs keep their histories themselves. Then open the test part, once.",
    "reported": "When nothing is going to change any more: assignment.open_test().",
    "baseline": "Its test accuracy is not known yet: assignment.open_test(), when nothing is going to change any more.",
    "proposed": "Its test accuracy is not known yet: assignment.open_test(), when nothing is going to change any more.",
    "learns": "Write both classes first.",
    "test_unused": "The test part is closed.",
}


ASKED = {
    "models": "two different classes, (B, 3, 32, 32) → (B, 10) for any B, in train and eval mode, within the limits",
    "name": "the proposed network has a name of its own",
    "spec": "one configuration for both",
    "histories": "training and validation loss, validation and test accuracy, complete for both",
    "reported": "the test accuracies that you report are those of your weights, to {reported:.1f} points",
    "baseline": "its test accuracy: {baseline}",
    "proposed": "its test accuracy: {proposed}; its gain over the baseline: {gain}",
    "learns": "fresh networks of both classes learn from a few pictures",
    "test_unused": "signs that test pictures were used in training: a note, no points",
    "ablation": "one idea taken away, measured and discussed; graded by a person",
    "discussion": "which network is better, how sure that is, and why; graded by a person",
}


def rubric() -> Table:
    """What is asked, and what each item is worth."""
    from utils.assignment.rules import ACCURACY, LIMITS, POINTS

    steps = {
        table: ", ".join(f"{points} from {least:.0%}" for least, points in ACCURACY[table])
        for table in ("baseline", "proposed", "gain")
    }
    asked = {name: text.format(reported=100 * ACCURACY["reported"], **steps) for name, text in ASKED.items()}
    rows = [[name, asked[name], f"{POINTS[name]}"] for name in ASKED]
    note = (
        f"Limits: {LIMITS['parameters']:,} parameters each, {LIMITS['multiply_adds']:,} multiply-adds for a picture "
        f"for both together, {LIMITS['weights'] // 1_000_000} MB of weights each."
    )
    return Table(f"What is asked: {sum(POINTS.values())} points", ["item", "what is asked", "points"], rows, note)


@dataclass(frozen=True)
class Line:
    """One line of the checklist. `state`: right, wrong, open (not done yet), part (some points), look (by a person)."""

    name: str
    state: str
    text: str
    points: float = 0.0
    worth: float = 0.0

    def __str__(self) -> str:
        worth = f" ({self.points:g} of {self.worth:g} points)" if self.worth and self.state != "open" else ""
        return f"{MARKS[self.state]} {self.name}: {'not done yet. ' * (self.state == 'open')}{self.text}{worth}"


class Card(float):
    """Points, as a number that shows itself as lines with coloured edges."""

    lines: list[Line]

    def __new__(cls, lines: list[Line]):
        card = super().__new__(cls, sum(line.points for line in lines))
        card.lines = lines
        return card

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines))

    __repr__ = __str__

    @property
    def html(self) -> str:
        """No colour of text is set: it is readable in light and dark themes."""
        from utils.checks.report import COLOURS  # which is not there where notebooks are graded

        colours = COLOURS | {"part": "#E69F00", "look": "#0072B2"}
        style = "padding:.25em .8em;margin:.15em 0;border-left:6px solid"
        return "".join(
            f'<div role="status" style="{style} {colours[line.state]}">{html.escape(str(line))}</div>'
            for line in self.lines
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": str(self)}


def checklist() -> Card:
    """Every item with its points, and whatever else is missing or does not fit together."""
    return Card([*map(line, TODO), *consistency(), *by_hand()])


def item(name: str) -> Card:
    """One item of the checklist.

    Returns
    -------
    Card
        The points, as a number that shows as a card. What is not done yet earns 0 and says so.

    Raises
    ------
    CheckFailed
        An AssertionError with the sentence, if the item earns nothing as it is.
    """
    if name not in TODO:
        raise ValueError(f"no item is called {name!r}; there are: {', '.join(TODO)}.")
    card = Card([line(name)])
    if card.lines[0].state == "wrong":
        show(card)
        raise CheckFailed(str(card))
    if not in_notebook():
        print(card)
    return card


# --- the graded items -------------------------------------------------------------------------------------------------


def line(name: str) -> Line:
    """An item as it stands."""
    from utils.assignment.rules import POINTS, judge

    if not begun(name):
        return Line(name, "open", TODO[name], 0.0, POINTS[name])
    judged = judge(evidence())[name]
    if judged.look:
        return Line(name, "look", f"{judged.text} A person decides: {judged.look}.", 0.0, judged.worth)
    if fast() and name in TIERS:
        return Line(name, "part", f"{judged.text} In fast mode accuracies say nothing.", judged.points, judged.worth)
    some = "part" if judged.points else "wrong"
    return Line(name, "right" if judged.passed else some, judged.text, judged.points, judged.worth)


def begun(name: str) -> bool:
    """Whether there is anything to judge."""
    written = {role: network for role, network in notebook.classes().items() if runs.missing(network, True) is None}
    if name == "name":
        return "proposed" in written
    if name in ("models", "learns"):
        return len(written) == len(ROLES)
    found = [runs_of(role) for role in ROLES]
    if name in ("spec", "histories"):
        return all(found) and (name == "spec" or tested(found))
    return all(found) and tested(found) and len(written) == len(ROLES)


def tested(found: list) -> bool:
    return all(run.test_accuracy is not None for some in found for run in some)


_seen: dict[tuple, object] = {}  # networks are looked at once, as long as neither they nor their weights change


def evidence():
    """What the rules judge: the networks of the notebook, looked at in this process, and what the runs say."""
    from utils.assignment import record
    from utils.assignment.evidence import few_of, gather

    networks, found = notebook.classes(), {role: runs_of(role) for role in ROLES}
    bundle = record.parse(json.dumps(content()))
    open_now = all(found.values()) and tested(list(found.values()))
    chosen = {role: runs.best(found[role]) for role in ROLES if open_now}
    key = (*((role, fingerprint(network)) for role, network in networks.items()), *(r.weights for r in chosen.values()))
    if key not in _seen:
        cifar = pictures.parts()
        weights = {role: (run.folder / "weights.safetensors").read_bytes() for role, run in chosen.items()}
        test = (cifar.x_test, cifar.y_test) if open_now else None
        _seen.clear()
        _seen[key] = gather(networks, bundle, weights, test, few_of(cifar.x_train, cifar.y_train))
    return replace(_seen[key], bundle=bundle)


# --- what else there is to say ----------------------------------------------------------------------------------------


def consistency() -> list[Line]:
    """What does not fit together: classes and spec against the runs, seeds, openings, pictures."""
    from utils.assignment.spec import Spec

    found, spec, state = [], notebook.names().get("spec"), runs.state()
    for role, network in notebook.classes().items():
        current = state["slots"].get(role)
        if current is None or runs.missing(network, True) is not None:
            continue
        used = runs_of(role)
        quick = {"epochs": min(spec.epochs, pictures.FAST_EPOCHS)} if fast() and isinstance(spec, Spec) else {}
        if used and isinstance(spec, Spec) and spec.changed(**quick).to_json() != used[0].spec:
            found.append(Line(role, "wrong", "your spec has changed since this network was trained: train both anew."))
        elif isinstance(spec, Spec) and runs.key_of(network, spec.changed(**quick)) != current["key"]:
            text = f"{network.__name__} (or the pictures) changed since it was trained. Run its training cell again."
            found.append(Line(role, "wrong", text))
    seeds = {role: len(runs_of(role)) for role in ROLES if role in state["slots"]}
    if seeds and min(seeds.values()) < 3:
        few = ", ".join(f"{role} {n}" for role, n in seeds.items())
        found.append(Line("seeds", "part", f"{few}. Three each show how much is chance; fewer are accepted."))
    if len(state["opened"]) > 1:
        found.append(Line("test part", "part", f"it was opened {len(state['opened'])} times; the bundle says so."))
    if pictures.parts().is_standin:
        found.append(Line("pictures", "look", "the stand-in, not CIFAR-10: a person decides on the accuracy items."))
    if fast():
        found.append(Line("fast mode", "part", pictures.QUICK.partition(": ")[2]))
    return found


def by_hand() -> list[Line]:
    """The parts that a person grades, and the file to hand in."""
    from utils.assignment.reading import CannotRead, cells_of, find

    done = any(runs_of(slot) for slot in runs.ablations())
    if done:
        lines = [Line("ablation", "right", "there is a variant; a person grades what you say of it.")]
    else:
        lines = [Line("ablation", "open", "Train a variant of your network with one thing left out.")]
    try:
        texts = {cell["id"]: cell["source"] for cell in cells_of(find())}
        for name in ("ablation-discussion", "discussion"):
            if name in texts and "Write your answer here" in texts[name]:
                lines.append(Line(name, "open", "Write it, then save the notebook."))
    except CannotRead as error:
        said = str(error)
        lines.append(Line("notebook", "open", said[0].upper() + said[1:]))
    if not file().exists():
        return [*lines, Line("bundle", "open", "At the end: assignment.bundle().")]
    changed = [(run.folder / "run.json").stat().st_mtime for role in ROLES for run in runs_of(role)]
    if max(changed, default=0) > file().stat().st_mtime:
        return [*lines, Line("bundle", "wrong", f"{FILE} is older than your runs: call assignment.bundle() again.")]
    return [*lines, Line("bundle", "right", f"{FILE} is the file to hand in. Changed anything? Make it again.")]
