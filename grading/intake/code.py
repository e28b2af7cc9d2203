"""What a cell defines, read from its text without parsing it.

Python's own parser may run out of stack or memory on hostile text, and gives up on the first error of an honest one.
Here strings and comments are blanked out and the lines that begin in the first column are looked at: linear in time,
and it never fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

# In a blanked text every character keeps its place, so that what is found there can be cut out of the original.
STRING_OR_COMMENT = re.compile(
    r"'{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3})?+"
    r'|"{3}(?:[^"\\]++|\\.|"(?!""))*+(?:"{3})?+'
    r"|'(?:[^'\\\n]++|\\.)*+'?+"
    r'|"(?:[^"\\\n]++|\\.)*+"?+'
    r"|#[^\n]*+",
    re.S,
)
PYTHON_MAGICS = ("%%time", "%%capture", "%%prun")  # under any other %%magic stands no code of the notebook's own
DEFINITION = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
ASSIGNMENT = re.compile(r"(\w+)[ \t]*(?::[^=\n]*)?=(?!=)")
IMPORT = re.compile(r"(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(.*)", re.S)
GOES_ON = re.compile(r"[ \t)\]}]|(?:else|elif|except|finally)\b")
OPEN = {"raise NotImplementedError", "raise NotImplementedError()", "pass", "..."}
LONGEST_IMPORT = 10_000  # characters
TOKENS = 2_000  # so much of a cell is compared; what a release holds is far shorter


def blanked(source: str) -> str:
    """The text with spaces for every character of a string or a comment, except its line ends."""
    if source.startswith("%%") and not source.startswith(PYTHON_MAGICS):
        return spaces(source)
    return STRING_OR_COMMENT.sub(lambda match: spaces(match[0]), source)


def spaces(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


@dataclass(frozen=True)
class Statement:
    """Consecutive lines that belong together, and the names they bind."""

    text: str
    code: str  # the same, blanked
    names: frozenset[str]
    kind: str  # "definition" (by def or class), "import", "assignment", or "" for anything else


@dataclass
class Code:
    """A cell's text and what can be told about it."""

    source: str

    @cached_property
    def code(self) -> str:
        return blanked(self.source)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without strings, comments, blank lines and blanks at their ends: what two copies have in common."""
        return tuple(line for line in (line.rstrip() for line in self.code.splitlines()) if line)

    @cached_property
    def exact(self) -> tuple[str, ...]:
        """The lines as they stand, without blanks at their ends and without blank lines."""
        return tuple(line for line in (line.rstrip() for line in self.source.splitlines()) if line)

    @cached_property
    def statements(self) -> list[Statement]:
        return statements(self.source, self.code)

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names that def and class bind here."""
        return frozenset(name for each in self.statements if each.kind == "definition" for name in each.names)

    @cached_property
    def brought(self) -> frozenset[str]:
        """The names that def, class and import bind here: more than another value for an old name."""
        kinds = ("definition", "import")
        return frozenset(name for each in self.statements if each.kind in kinds for name in each.names)

    @cached_property
    def given(self) -> frozenset[str]:
        """The names that import and simple assignments bind here, but no definition."""
        return self.bound - self.defined

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that def, class, import and simple assignments bind here."""
        return frozenset(name for each in self.statements for name in each.names)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.code))

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        tokens = re.findall(r"\w+|[^\w\s]", self.source[: 20 * TOKENS])[:TOKENS]
        return frozenset(zip(["", *tokens], [*tokens, ""], strict=True))

    def cut(self, names: frozenset[str]) -> str:
        """The statements that bind any of `names`."""
        return "\n\n".join(each.text.rstrip() for each in self.statements if each.names & names)

    def still_open(self, stub: Code, names: frozenset[str]) -> bool:
        """Whether every one of `names` that is defined here stands as it was released, or has no body of its own."""
        known = set(stub.lines) | {line.strip() for line in stub.lines} | OPEN
        for each in self.statements:
            if each.kind == "definition" and each.names & names:
                rest = [line.strip() for line in Code(each.text).lines if line.rstrip() not in known]
                if any(line not in known and not line.endswith(":") for line in rest):
                    return False
        return True


def statements(source: str, code: str) -> list[Statement]:
    """Cut a cell into the statements that begin in its first column; decorators stay with what they decorate."""
    found, start, depth, decorated = [], 0, 0, False
    originals, lines = source.split("\n"), code.split("\n")
    for number, line in enumerate(lines):
        begins = bool(line) and depth <= 0 and not GOES_ON.match(line) and not decorated
        if begins and number > start:
            found.append(statement(originals[start:number], lines[start:number]))
            start = number
        if depth <= 0 and line and not GOES_ON.match(line):
            decorated = line.startswith("@")
        depth = max(0, depth + sum(map(line.count, "([{")) - sum(map(line.count, ")]}")))
    found.append(statement(originals[start:], lines[start:]))
    return found


def statement(originals: list[str], lines: list[str]) -> Statement:
    code = "\n".join(lines)
    head = next((line for line in lines if line and line[0] not in "@ \t)]}"), "")
    names, kind = [], ""
    if definition := DEFINITION.match(head):
        names, kind = [definition[1]], "definition"
    elif assignment := ASSIGNMENT.match(head):
        names, kind = [assignment[1]], "assignment"
    elif imports := IMPORT.match(code.strip()):
        parts = [part.split() for part in imports[1][:LONGEST_IMPORT].strip("() \n").split(",")]
        names, kind = [part[-1].partition(".")[0] for part in parts if part], "import"
    return Statement("\n".join(originals), code, frozenset(names), kind)


def likeness(one: Code, other: Code) -> float:
    """How much two texts have in common, between 0 and 1: Dice's coefficient of their pairs of neighbouring tokens."""
    a, b = one.pairs, other.pairs
    if 2 * min(len(a), len(b)) < 0.2 * (len(a) + len(b)):
        return 0.0
    return 2 * len(a & b) / (len(a) + len(b))
