"""What the runs gave: tables, curves, and the one way to the test pictures."""

from __future__ import annotations

import html
import math
import statistics
from dataclasses import dataclass
from datetime import datetime

from utils import evaluation, show
from utils.assignment import pictures, runs
from utils.assignment.runs import ROLES, Run, runs_of
from utils.checks import tell

T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
NOTHING = "not done yet: no network has been trained. Run the training cells first."


@dataclass(frozen=True, repr=False)
class Table:
    """Rows of text under headings; shows itself."""

    caption: str
    head: list[str]
    rows: list[list[str]]
    note: str = ""

    def __repr__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        text = ["  ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]) for first, *rest in lines]
        return "\n".join([self.caption, *text, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        sides = [self.side(i) for i in range(len(self.head))]
        head = "".join(
            f"<th scope='col' style='text-align:{side}'>{html.escape(cell)}</th>"
            for side, cell in zip(sides, self.head, strict=True)
        )
        body = "".join(
            f"<tr><th scope='row' style='text-align:left'>{html.escape(first)}</th>"
            + "".join(
                f"<td style='text-align:{side}'>{html.escape(cell)}</td>"
                for side, cell in zip(sides[1:], rest, strict=True)
            )
            + "</tr>"
            for first, *rest in self.rows
        )
        note = f"<p><small>{html.escape(self.note)}</small></p>" if self.note else ""
        caption = f"<caption>{html.escape(self.caption)}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def side(self, column: int) -> str:
        """Names and sentences to the left, numbers to the right."""
        words = column == 0 or any(len(row[column]) > 25 for row in self.rows)
        return "left" if words else "right"


def spread(values: list[float]) -> tuple[float, float | None]:
    """The mean, and half of its 95 % interval (Student's t); None from a single value."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, None
    return mean, T.get(len(values), 2.2) * statistics.stdev(values) / math.sqrt(len(values))


def percent(values: list[float | None]) -> str:
    """Accuracies as a mean with its interval, in percent."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return "–"
    mean, half = spread(known)
    return f"{mean:.2%}" if half is None else f"{100 * mean:.2f} ± {100 * half:.2f} %"


def plain(values: list[float | None], form: str = ".3f") -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean, half = spread(known)
    return format(mean, form) if half is None else f"{mean:{form}} ± {half:{form}}"


def sizes(*networks: type) -> Table | None:
    """Parameters and multiply-adds of classes, beside what is allowed."""
    from utils.assignment.rules import LIMITS

    rows = []
    for network in networks:
        if runs.missing(network, True) is not None:
            tell(f"sizes: {getattr(network, '__name__', 'the network')} is not done yet.")
            continue
        parameters, work = runs.measured(network)
        rows.append([network.__name__, f"{parameters:,}", f"{work:,}"])
    allowed = ["allowed", f"{LIMITS['parameters']:,} each", f"{LIMITS['multiply_adds']:,} together"]
    return Table("Sizes", ["network", "parameters", "multiply-adds"], [*rows, allowed]) if rows else None


def results() -> Table | None:
    """Both networks side by side: losses, accuracies, sizes, seconds; means over the seeds."""
    rows = [row(slot, found) for slot in ROLES if (found := runs_of(slot))]
    if not rows:
        tell(f"results: {NOTHING}")
        return None
    most = max(len(runs_of(slot)) for slot in ROLES)
    head = ["network", "seeds", "training loss", "validation loss", "validation accuracy", "test accuracy"]
    note = (
        "Training loss: of the epoch whose weights were kept, as it was trained (augmented pictures, smoothed labels), "
        "so it is not to be compared with the validation loss. "
    )
    note += "±: 95 % interval of the mean over the seeds (Student's t). " if most > 1 else ""
    note += "" if any(r[5] != "–" for r in rows) else "The test part is closed until assignment.open_test()."
    return Table("Results", [*head, "parameters", "multiply-adds", "seconds"], rows, note.strip())


def row(slot: str, found: list[Run]) -> list[str]:
    return [
        f"{found[0].network} ({slot})",
        ", ".join(str(run.seed) for run in found),
        plain([kept(run)["loss"] for run in found]),
        plain([run.val_loss for run in found]),
        percent([run.val_accuracy for run in found]),
        percent([run.test_accuracy for run in found]),
        f"{found[0].parameters:,}",
        f"{found[0].multiply_adds / 1e6:.1f} M",
        f"{statistics.fmean(run.seconds for run in found):.0f}",
    ]


def kept(run: Run) -> dict:
    """The row of the epoch whose weights were kept."""
    if run.spec.get("keep") == "last":
        return run.history[-1]
    return max(run.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))


def curves():
    """Loss and accuracy of both networks side by side, of each one's best run on the validation pictures."""
    found = {slot: runs.best(some) for slot in ROLES if (some := runs_of(slot))}
    if not found:
        tell(f"curves: {NOTHING}")
        return None
    title = ", ".join(f"{run.network}: seed {run.seed}" for run in found.values())
    return show.learning_curves({run.network: run for run in found.values()}, title=title)


def ablation() -> Table | None:
    """The proposed network beside itself with one thing left out, by validation accuracy, seed by seed."""
    whole, slots = runs_of("proposed"), runs.ablations()
    if not whole or not any(runs_of(slot) for slot in slots):
        tell("ablation: not done yet. Train the proposed network, and a variant of it with role='ablation'.")
        return None
    rows = [[whole[0].network, seeds(whole), percent([run.val_accuracy for run in whole]), "–", *columns(whole)]]
    for slot in slots:
        if some := runs_of(slot):
            ours = {run.seed: run.val_accuracy for run in whole}
            lost = [run.val_accuracy - ours[run.seed] for run in some if run.seed in ours]
            change = f"{100 * statistics.fmean(lost):+.2f} points" if lost else "no common seed"
            name = slot.partition("/")[2]
            rows.append([name, seeds(some), percent([run.val_accuracy for run in some]), change, *columns(some)])
    head = ["network", "seeds", "validation accuracy", "change, same seeds", "parameters", "multiply-adds", "seconds"]
    return Table("Ablation", head, rows)


def seeds(some: list[Run]) -> str:
    return ", ".join(str(run.seed) for run in some)


def columns(some: list[Run]) -> list[str]:
    mean = statistics.fmean(run.seconds for run in some)
    return [f"{some[0].parameters:,}", f"{some[0].multiply_adds / 1e6:.1f} M", f"{mean:.0f}"]


# --- the test part ----------------------------------------------------------------------------------------------------


def open_test(networks: dict[str, type] | None = None) -> Table | None:
    """Open the test part: evaluate every run of both networks on it, and write down when.

    It is opened once. A second call shows the same numbers. If a network was trained anew in the meantime, its new runs
    are evaluated, and the opening is counted: the bundle tells how many there were.

    Parameters
    ----------
    networks : role → class; default: `Baseline` and `proposed` of your notebook
    """
    from utils.assignment.notebook import classes

    networks = networks or classes()
    found = {slot: runs_of(slot) for slot in ROLES}
    if lacking := [slot for slot in ROLES if not found[slot] or slot not in networks]:
        tell(
            f"open_test: not done yet. The test part stays closed until both networks are trained; "
            f"missing: {' and '.join(lacking)}."
        )
        return None
    content = runs.state()
    if waiting := unfinished(content, found):
        tell(f"open_test: not done yet. The test part stays closed: {waiting} not trained to the end.")
        return None
    new = [run for some in found.values() for run in some if run.test_accuracy is None]
    if new:
        ready = [(run, run.load(networks[run.slot])) for run in new]  # what cannot be loaded opens nothing
        opened(content, new)
        test(ready, content["opened"][-1])
        found = {slot: runs_of(slot) for slot in ROLES}
    elif content["opened"]:
        tell(f"The test part was opened already, {said(content['opened'])}. These are the same numbers.")
    return opened_table(found)


def unfinished(content: dict, found: dict[str, list[Run]]) -> str:
    """Which seeds were asked for and are not there."""
    lacking = [
        f"{content['slots'][slot]['class']}, seed {seed}"
        for slot in ROLES
        for seed in content["slots"][slot]["seeds"]
        if seed not in {run.seed for run in found[slot]}
    ]
    return f"{'; '.join(lacking)} {'is' if len(lacking) == 1 else 'are'}" if lacking else ""


def opened(content: dict, new: list[Run]) -> None:
    """Write the moment down before anything is seen."""
    before = content["opened"]
    if before and all(datetime.fromisoformat(run.made) < datetime.fromisoformat(before[-1]) for run in new):
        return  # the last opening was interrupted; this is the rest of it
    content["opened"] = [*before, runs.now()]
    runs.write_state(content)
    if before:
        names = ", ".join(sorted({run.network for run in new}))
        tell(
            f"The test part had been opened {said(before)}, and {names} has been trained since. This is opening number "
            f"{len(before) + 1}; your bundle will say so. Whoever looks often enough chooses by the test set."
        )
    else:
        tell(f"The test part is open now ({when(content['opened'][0])}). From here on, change nothing.")


def said(moments: list[str]) -> str:
    if len(moments) == 1:
        return f"on {when(moments[0])}"
    return f"{len(moments)} times, first on {when(moments[0])}, last on {when(moments[-1])}"


def when(moment: str) -> str:
    return str(moment)[:16].replace("T", " at ")


def test(ready: list[tuple], moment: str) -> None:
    """Evaluate these runs, each with its network, on the test pictures, in float32."""
    cifar = pictures.parts()
    for run, model in ready:
        logits = evaluation.logits(model, cifar.x_test)
        runs.tested(run, evaluation.accuracy(logits, cifar.y_test), evaluation.loss(logits, cifar.y_test), moment)


def opened_table(found: dict[str, list[Run]]) -> Table:
    """The chosen run of each network on the test pictures, with the interval of one measurement, and all seeds."""
    n, rows = len(pictures.parts().y_test), []
    for slot, some in found.items():
        chosen = runs.best(some)
        low, high = evaluation.interval(round(chosen.test_accuracy * n), n)
        each = ", ".join(f"{run.test_accuracy:.2%}" for run in some)
        rows.append(
            [
                f"{chosen.network} ({slot})", str(chosen.seed), f"{chosen.val_accuracy:.2%}",
                f"{chosen.test_accuracy:.2%}", f"{low:.1%} to {high:.1%}", each,
            ]
        )  # fmt: skip
    head = ["network", "chosen seed", "its validation accuracy", "its test accuracy", "95 % interval", "all seeds"]
    note = f"Chosen: the best seed on validation pictures. The interval is what {n:,} test pictures leave open."
    return Table("Test part", head, rows, note)
