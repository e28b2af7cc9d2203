"""What a training left behind: one row for each epoch, and what it was told to do."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds", "val_seconds")


@dataclass
class History:
    """The epochs of a training.

    Attributes
    ----------
    rows : list of dict
        For each epoch: epoch (from 1), loss and accuracy on the training pictures *as they were trained on* (augmented,
        dropout on, averaged while the weights were changing), val_loss and val_accuracy (None without validation data),
        lr at its end, seconds spent training, val_seconds spent validating. Accuracies are fractions.
    steps : list of (float, float)
        The loss between epochs: how far (in epochs), and the mean loss since the point before.
    spec : dict
        What `fit` was asked to do, as far as JSON can say it.
    ended : str
        Why it ended: "all epochs", "early stopping", "stopped" (by you), "" while it runs.
    best_epoch : int
        The epoch with the best validation (or, without one, the last).
    """

    rows: list[dict] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    spec: dict = field(default_factory=dict)
    ended: str = ""
    best_epoch: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list:
        """A column as a list: `history["val_accuracy"]`."""
        if column not in COLUMNS:
            raise KeyError(f"{column!r} is no column; there are: {', '.join(COLUMNS)}")
        return [row[column] for row in self.rows]

    @property
    def best(self) -> dict:
        """The row of the best epoch."""
        if not self.rows:
            raise ValueError("no epoch was completed, so there is no best one.")
        return self.rows[self.best_epoch - 1]

    @property
    def seconds(self) -> float:
        """Seconds spent training, validation left out."""
        return sum(self["seconds"])

    def save(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all."""
        path = Path(path)
        draft = path.with_name(f"{path.name}.part")
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        os.replace(draft, path)

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Read what `save` wrote."""
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
            found["steps"] = [tuple(step) for step in found["steps"]]
            return cls(**found)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} does not hold a history: {error}") from None

    def __repr__(self) -> str:
        if not self.rows:
            return f"no epoch completed; {self.ended or 'running'}"
        head = f"{'epoch':>5}  {'loss':>7}  {'accuracy':>8}  {'val loss':>8}  {'val acc.':>8}  {'seconds':>7}"
        lines = [
            f"{r['epoch']:5}  {r['loss']:7.4f}  {r['accuracy']:8.2%}  {or_dash(r['val_loss'], '8.4f')}  "
            f"{or_dash(r['val_accuracy'], '8.2%')}  {r['seconds']:7.1f}{'  ← best' * (r['epoch'] == self.best_epoch)}"
            for r in self.rows
        ]
        return "\n".join([head, *lines, f"ended: {self.ended or 'running'}, after {self.seconds:.1f} s of training"])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """In a notebook: its curves, and the table as their text."""
        bundle = {"text/plain": repr(self)}
        if self.rows:
            from utils.show import learning_curves

            bundle["text/html"] = f"{learning_curves(self).html()}<pre>{self!r}</pre>"
        return bundle


def or_dash(value: float | None, form: str) -> str:
    return format("–" if value is None else format(value, form), ">8")
