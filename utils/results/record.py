"""What benchmarks measure, row by row, before it is published as a result."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from utils import device
from utils.results import FOLDER

# By part: title, pictures, columns, and what makes the rows and whatever else the chapter wants to look at.
Tables = dict[str, tuple[str, str, dict, Callable[[], tuple[list[dict], dict]]]]


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


class Records:
    """The parts of a benchmark, a `Record` each, whose rows are trainings with a seed; and what is published of them.

    Parameters
    ----------
    folder : where the parts' files are
    name : of the benchmark, as files in utils/results begin
    command : what measures a part, but for the part's name
    """

    def __init__(self, folder: Path, name: str, command: str):
        self.folder, self.name, self.command = folder, name, command

    def of(self, part: str) -> Record:
        return Record(self.folder / f"{part}.json", circumstances)

    def rows(self, part: str) -> list[dict]:
        return self.of(part).rows

    def has(self, part: str, key: dict) -> bool:
        return self.of(part).has(**key)

    def add(self, part: str, row: dict, begin: float) -> None:
        """One more row, with the CPU seconds since `begin`, which was `time.process_time()` then."""
        seconds = round(time.process_time() - begin, 1)
        self.of(part).add(**row, cpu_seconds=seconds)
        shown = {name: value for name, value in row.items() if not isinstance(value, list | dict)}
        print(part, shown, f"{seconds} s", flush=True)

    def grouped(self, part: str, *keys: str) -> dict[tuple, list[dict]]:
        """Rows by the values of `keys`, those of one group in the order of their seeds; two seeds say too little."""
        groups: dict[tuple, list[dict]] = {}
        for row in self.rows(part):
            groups.setdefault(tuple(row[key] for key in keys), []).append(row)
        return {key: sorted(rows, key=lambda row: row["seed"]) for key, rows in groups.items() if len(rows) >= 3}

    def main(
        self,
        arguments: list[str] | None,
        doc: str,
        parts: dict[str, Callable[[range], None]],
        tables: Tables,
        rates: Callable[[], None] | None = None,
    ) -> None:
        """The benchmark's command line: measure a part or all, report, publish.

        Parameters
        ----------
        doc : what --help says
        parts : by name, what measures a part with a range of seeds
        tables : see `report`
        rates : chooses learning rates, which must come first
        """
        alone = {"rates": rates} if rates else {}
        alone |= {"report": lambda: self.report(tables), "publish": lambda: self.publish_all(FOLDER, tables)}
        parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("part", choices=[*parts, "all", *alone])
        parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, 2 … (default 3)")
        asked = parser.parse_args(arguments)
        if asked.part in alone:
            alone[asked.part]()
            return
        if asked.part == "all" and rates:
            rates()
        for part in parts if asked.part == "all" else [asked.part]:
            parts[part](range(asked.seeds))

    def report(self, tables: Tables) -> None:
        """Print the tables, the learning rates that were tried, and what all of it has cost."""
        for row in self.rows("rates"):
            print({name: value for name, value in row.items() if name in ("name", "lr") or name.startswith("val")})
        for part, (title, _, _, table) in tables.items():
            print(f"\n{part}: {title}")
            for line in table()[0]:
                print("  ", "  ".join(f"{name} {value}" for name, value in line.items()))
        seconds = sum(row["cpu_seconds"] for part in ("rates", *tables) for row in self.rows(part))
        print(f"\nCPU time of all of it: {seconds / 60:.1f} minutes")

    def publish_all(self, folder: Path, tables: Tables) -> None:
        """What the chapter shows, in the form that `utils.results` reads."""
        for part, (title, pictures, columns, table) in tables.items():
            self.publish(folder, part, {"title": title, "pictures": pictures, "columns": columns}, *table())

    def publish(self, folder: Path, part: str, about: dict, rows: list[dict], more: dict) -> None:
        """Write what a chapter shows of a part; without rows, nothing.

        Parameters
        ----------
        folder : utils/results, or another
        about : title, pictures, columns
        rows : of the table
        more : whatever else the chapter wants to look at
        """
        if not rows:
            return
        last = self.rows(part)[-1]
        machine, command = last["machine"], f"{self.command} {part}"
        threads = f"{machine['threads']} thread{'s' * (machine['threads'] > 1)}"
        about = {
            "title": about["title"],
            "source": f"recorded {last['date'][:10]} on {machine['name']}, {threads}; {command}",
            "pictures": about["pictures"],
            "machine": machine,
            "versions": {name: machine[name] for name in ("torch", "python")},
            "date": last["date"],
            "command": command,
            "columns": about["columns"],
        }
        write(folder / f"{self.name}_{part}.json", about, rows, more)


def circumstances() -> dict:
    """Where and when a row was measured."""
    return {
        "machine": asdict(device.machine()) | {"cores": os.cpu_count()},
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def write(path: Path, about: dict, rows: list[dict], more: dict | None = None) -> None:
    """A result as `utils.results` reads it; each row, and whatever else there is, on a line of its own."""
    head = json.dumps(about, indent=2, ensure_ascii=False).removesuffix("\n}")
    for key, value in (more or {}).items():
        head += f",\n  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
    lines = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
    path.write_text(f'{head},\n  "rows": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
