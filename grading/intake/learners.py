"""Which id stands for whom in the LMS: received/learners.csv, one line for each learner and chapter."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from grading.intake.lms import Person, digest, preferred, slug

COLUMNS = ("learner", "chapter", "lms", "number", "name", "email", "late", "time", "digest")


@dataclass
class Learners:
    """The table, as it is remembered from one ZIP to the next: an id once given stays."""

    path: Path
    rows: list[dict[str, str]]

    @classmethod
    def read(cls, path: Path) -> Learners:
        if not path.exists():
            return cls(path, [])
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [{column: row.get(column) or "" for column in COLUMNS} for row in csv.DictReader(file)]
        return cls(path, rows)

    def write(self) -> None:
        """Replace the file, if anything has changed, in one move."""
        out = io.StringIO()
        table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(sorted(self.rows, key=lambda row: (row["chapter"], row["learner"])))
        text = out.getvalue().encode("utf-8", errors="replace")
        if not self.path.exists() or self.path.read_bytes() != text:
            draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            draft.write_bytes(text)
            draft.replace(self.path)

    def ids(self, people: list[Person], chapter: str) -> dict[Person, str]:
        """An id for each person in a ZIP: those already known first, for theirs must not go to anybody else."""
        namesakes = Counter(slug(person.name) for person in people if person.lms == "moodle")
        ids = {person: known for person in people if (known := self.known(person, chapter, namesakes))}
        taken = {row["learner"].casefold(): row["name"] for row in self.rows}
        taken |= {learner.casefold(): person.name for person, learner in ids.items()}
        for person in people:
            if person not in ids:
                wanted = preferred(person)
                if wanted.casefold() in taken or (person.lms == "moodle" and namesakes[slug(person.name)] > 1):
                    wanted = f"{wanted}-{slug(person.number) if person.number else digest(person.name)}"
                while wanted.casefold() in taken:
                    wanted += "-2"
                ids[person] = wanted
                taken[wanted.casefold()] = person.name
        return ids

    def known(self, person: Person, chapter: str, namesakes: Counter) -> str:
        """The id that this person has already; empty if there is none, or if it may be a namesake's."""
        same = [row for row in self.rows if row["lms"] == person.lms]
        if person.lasting:
            return next((row["learner"] for row in same if row["number"] == person.number), "")
        named = [row for row in same if row["name"] == person.name]
        if person.lms != "moodle":
            return next((row["learner"] for row in named), "")
        here = [row for row in same if row["chapter"] == chapter]
        for row in here:
            if row["number"] == person.number:
                return row["learner"]
        found = {row["learner"] for row in named} - {row["learner"] for row in here}
        return found.pop() if len(found) == 1 and namesakes[slug(person.name)] == 1 else ""

    def standing(self, learner: str, chapter: str) -> tuple[str, str]:
        """When what is there of a learner was handed in, and its fingerprint; empty if nothing is."""
        for row in self.rows:
            if (row["learner"], row["chapter"]) == (learner, chapter):
                return row["time"], row["digest"]
        return "", ""

    def note(self, learner: str, chapter: str, person: Person, *, late: bool, time: str, digest: str) -> None:
        """Write down one learner's line for a chapter, in place of an earlier one."""
        self.rows = [row for row in self.rows if (row["learner"], row["chapter"]) != (learner, chapter)]
        who = (person.lms, person.number, person.name, person.email)
        values = (learner, chapter, *who, "late" if late else "", time, digest)
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))
