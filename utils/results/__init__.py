"""Results that were recorded once and are shown, compared and plotted, never typed into prose.

    from utils import results
    log = results.load("seed_log")   # the tutorial's own training log
    log["test_accuracy"][-1]         # 0.8495
    log.source                       # where it comes from

Each is a JSON file beside this one: `title`, `source`, `columns` (what each column means), `rows`, and whatever else
belongs to it: for runs of the course's own the date, machine, versions, command and seed.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, repr=False)
class Result:
    """A recorded result.

    Attributes
    ----------
    name : what `load` calls it
    title, source : in words
    rows : list of dicts, all with the same columns; accuracies are shares from 0 to 1, times are seconds
    about : everything else that was recorded, `columns` among it
    """

    name: str
    title: str
    source: str
    rows: list[dict]
    about: dict

    def __getitem__(self, column: str) -> list:
        """A column as a list: `log["test_accuracy"]`."""
        if column not in self.rows[0]:
            raise KeyError(f"{self.name} has no column {column!r}; it has: {', '.join(self.rows[0])}")
        return [row[column] for row in self.rows]

    def __repr__(self) -> str:
        lines = ["  ".join(f"{cell:>13}" for cell in cells) for cells in [self.rows[0], *map(dict.values, self.rows)]]
        return "\n".join([f"{self.title} ({self.source})", *lines])

    def _repr_html_(self) -> str:
        head = "".join(f"<th scope='col'>{html.escape(str(name))}</th>" for name in self.rows[0])
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row.values())}</tr>" for row in self.rows
        )
        caption = f"<caption>{html.escape(self.title)}<br><small>{html.escape(self.source)}</small></caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def names() -> list[str]:
    """What has been recorded."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str) -> Result:
    """The recorded result `name`; ValueError, with those there are, for any other."""
    if name not in names():
        raise ValueError(f"no result is called {name!r}; there are: {', '.join(names())}.")
    recorded = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    title, source, rows = (recorded.pop(key) for key in ("title", "source", "rows"))
    return Result(name, title, source, rows, recorded)
