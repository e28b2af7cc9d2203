"""What benchmarks measure, row by row, before it is published as a result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path


class Record:
    """Rows in a JSON file that is whole at any moment: a benchmark that was interrupted is simply repeated.

    Parameters
    ----------
    path : the file; it need not be there yet
    circumstances : gives what is added to every row: machine, versions, date and the like
    """

    def __init__(self, path: Path, circumstances: Callable[[], dict]):
        self.path, self.circumstances = path, circumstances
        self.rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    def has(self, **wanted) -> bool:
        """Whether there is a row with these values, and what JSON makes of them."""
        wanted = json.loads(json.dumps(wanted))
        return any(all(row.get(key) == value for key, value in wanted.items()) for row in self.rows)

    def add(self, **row) -> None:
        """One more row, each on a line of its own."""
        self.rows.append(row | self.circumstances())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".part")
        lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in self.rows)
        draft.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        os.replace(draft, self.path)
