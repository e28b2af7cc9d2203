"""Which submitted cell is which released one, and where each answer stands.

By grade_id; else by the cell's id; else by its text; else by what it defines; else by likeness to a released cell that
nobody has claimed yet. Only answers and the learner's own code go further. A released cell counts as it was released.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grading.intake.code import Code, likeness
from grading.intake.limits import shown
from grading.intake.read import Cell

ALIKE = 0.6  # from here on, an unmarked cell is an edited copy of a released one
KNOWN = 0.2  # so large a part of a notebook must be the chapter's
UNLIKE = 0.3  # below, a marked duplicate is something new in an old cell


@dataclass(frozen=True)
class Exercise:
    """A released cell that is the learner's to fill in."""

    place: int
    name: str  # its grade_id
    is_code: bool
    stub: Code
    wanted: frozenset[str]  # what its code is to define


@dataclass
class Answer:
    """What a learner wrote for one exercise; without a source it is not begun."""

    source: str | None = None
    attachments: dict = field(default_factory=dict)


class Match:
    """The cells of a submission, sorted.

    Attributes
    ----------
    role : list of (int or None)
        For each submitted cell, the place of the released cell of which it is the learner's copy.
    answers : dict of str to Answer
        By grade_id.
    before, after : dict of int to list of str
        The learner's own code, by the place of the released cell that it stands before or after (−1: at the top).
    notes : list of str
        What was odd, and how it was understood.
    """

    def __init__(self, cells: list[Cell], released: list):
        self.cells, self.released = cells, released
        self.codes = [Code(cell.source) for cell in cells]
        self.released_codes = [Code(cell.source) for cell in released]
        self.exercises = exercises(released)
        self.role: list[int | None] = [None] * len(cells)
        self.user: dict[int, str] = {}  # the exercise whose answer a submitted cell is
        self.answers = {exercise.name: Answer() for exercise in self.exercises}
        self.before: dict[int, list[str]] = {}
        self.after: dict[int, list[str]] = {}
        self.notes: list[str] = []
        self.identify()
        self.recognise_copies()
        for exercise in self.exercises:
            if exercise.is_code:
                self.answer_in_code(exercise)
        self.recognise_edited()
        for exercise in self.exercises:
            if not exercise.is_code:
                self.answer_in_words(exercise)
            elif self.answers[exercise.name].source is None:
                self.answer_in_code(exercise)
        self.tell_missing()
        self.place_own()

    @property
    def known(self) -> bool:
        """Whether this is the chapter's notebook at all: an exercise is there, begun or not, and not by chance.

        Chapters share names and a few cells, so that one exercise in a notebook full of other things proves nothing.
        """
        roles = [place is not None or i in self.user for i, place in enumerate(self.role)]
        there = [each for each in self.exercises if each.place in self.role or self.answered(each.place)]
        marked = {exercise.name for exercise in self.exercises} & {cell.grade_id for cell in self.cells}
        enough = sum(roles) >= KNOWN * len(roles) or 2 * len(there) >= len(self.exercises)
        return bool(marked) or ((bool(there) or not self.exercises) and enough)

    @property
    def begun(self) -> bool:
        return any(answer.source is not None for answer in self.answers.values())

    # Who is who

    def identify(self) -> None:
        """Roles by the marks that the course put on its cells."""
        by_grade = {grading(cell).get("grade_id"): i for i, cell in enumerate(self.released)}
        by_grade.pop(None, None)
        by_id = {cell["id"]: i for i, cell in enumerate(self.released) if cell.get("id")}
        for i, cell in enumerate(self.cells):
            self.role[i] = by_grade.get(cell.grade_id, by_id.get(cell.id))
        if by_grade and not any(cell.grade_id in by_grade for cell in self.cells):
            how = "by their ids" if any(place is not None for place in self.role) else "by what is in them"
            self.notes.append(
                f"The notebook came without nbgrader's marks, which Colab, VS Code and others may drop: its cells were "
                f"recognised {how}."
            )
        yours = {exercise.place for exercise in self.exercises}
        for place in set(self.role) - yours - {None}:
            self.keep_new(place)

    def keep_new(self, place: int) -> None:
        """Of several cells with one released cell's marks, those that define something else are the learner's own."""
        copies = [i for i, role in enumerate(self.role) if role == place]
        if len(copies) > 1:
            best = max(copies, key=lambda i: likeness(self.codes[i], self.released_codes[place]))
            for i in copies:
                brings = self.codes[i].brought - self.released_codes[place].brought
                if i != best and brings and likeness(self.codes[i], self.released_codes[place]) < UNLIKE:
                    self.role[i] = None

    def recognise_copies(self) -> None:
        """Roles of unmarked cells whose text is that of a released cell: first where nobody stands for it yet."""
        places: dict[tuple[str, ...], list[int]] = {}
        for place, code in enumerate(self.released_codes):
            places.setdefault(code.exact, []).append(place)
        taken = set(self.role)
        for i, cell in enumerate(self.cells):
            if self.role[i] is None and cell.source.strip() and (same := places.get(self.codes[i].exact)):
                self.role[i] = next((place for place in same if place not in taken), same[0])
                taken.add(self.role[i])

    def recognise_edited(self) -> None:
        """Roles of unmarked cells that are much like a released one: one for each, the likest first."""
        left = [i for i, role in enumerate(self.role) if role is None and i not in self.user]
        free = [place for place in range(len(self.released)) if place not in self.role and not self.answered(place)]
        pairs = sorted(
            ((score, i, place) for i in left for place in free if (score := self.alike(i, place)) >= ALIKE),
            key=lambda pair: (-pair[0], abs(pair[1] - pair[2])),
        )
        for _, i, place in pairs:
            if self.role[i] is None and place not in self.role:
                self.role[i] = place
        marks = [grading(cell) for cell in self.released]
        tests = [place for place, mark in enumerate(marks) if mark.get("grade") and not mark.get("solution")]
        for i in left:  # one more copy of a check, however edited, is still no work of the learner's
            if self.role[i] is None:
                self.role[i] = next((place for place in tests if self.alike(i, place) >= ALIKE), None)

    def alike(self, i: int, place: int) -> float:
        """How much a submitted cell is like a released one; 0 if it defines anything that the released one does not."""
        code, released = self.codes[i], self.released_codes[place]
        same_kind = (self.cells[i].kind == "code") == (self.released[place]["cell_type"] == "code")
        yours = any(exercise.place == place for exercise in self.exercises)
        if not same_kind or (self.cells[i].kind == "code" and not yours and code.brought - released.brought):
            return 0.0
        return likeness(code, released)

    def answered(self, place: int) -> bool:
        return any(each.place == place and self.answers[each.name].source is not None for each in self.exercises)

    # The answers

    def answer_in_code(self, exercise: Exercise) -> None:
        """Find the code that answers an exercise: the last that defines the wanted name and is not the stub."""
        names = exercise.wanted
        here = [i for i, role in enumerate(self.role) if role == exercise.place]
        free = [i for i, role in enumerate(self.role) if role is None]
        for i in free:  # an edited stub would otherwise live on as the learner's own, and undo the answer
            if self.codes[i].defined & names and self.codes[i].still_open(exercise.stub, names):
                self.role[i] = exercise.place
        mine = [i for i in here if self.written(i, exercise)]
        free = [i for i in free if self.role[i] is None]
        others = [i for i, role in enumerate(self.role) if role not in (None, exercise.place) and self.edited(i)]
        defining = [i for i in sorted(mine + free) if self.defines(i, exercise)]
        kinds = (
            [i for i in defining if self.cells[i].kind == "code"],
            defining,
            [i for i in mine if self.codes[i].given & names],
            [i for i in free if self.codes[i].given & names and self.cells[i].kind == "code"],
            [i for i in others if self.defines(i, exercise)],
        )
        candidates = next(filter(None, kinds), [])
        if candidates:
            chosen = max(candidates, key=lambda i: (len(self.codes[i].bound & names), i))
        elif mine:
            chosen = max(mine, key=lambda i: (likeness(self.codes[i], exercise.stub), i))
            if names and not self.codes[chosen].bound & names:
                self.notes.append(f"{shown(exercise.name)}: cell {chosen + 1} does not define {listed(names)}.")
        else:
            return
        self.choose(exercise, chosen, mine, free)
        self.retire(exercise, chosen, mine, free)

    def choose(self, exercise: Exercise, chosen: int, mine: list[int], free: list[int]) -> None:
        """Take a cell as the answer, whole or, where it serves something else too, only what was wanted of it."""
        name, cell = shown(exercise.name), self.cells[chosen]
        whole = chosen in mine or (chosen in free and chosen not in self.user)
        source = cell.source if whole else self.codes[chosen].cut(exercise.wanted)
        self.answers[exercise.name] = Answer(source)
        if not whole:
            self.notes.append(f"{name}: the answer was found in cell {chosen + 1}, among other things.")
        else:
            self.user[chosen] = exercise.name
            if exercise.place not in self.role:  # no marks: then this is the exercise's own cell
                self.role[chosen] = exercise.place
            elif chosen not in mine:
                self.notes.append(f"{name}: the answer was found in a cell of its own, cell {chosen + 1}.")
        if cell.kind != "code":
            self.notes.append(f"{name}: cell {chosen + 1} is a {cell.kind} cell; it was read as code.")

    def retire(self, exercise: Exercise, chosen: int, mine: list[int], free: list[int]) -> None:
        """Other versions of an answer run before it, so that it has the last word; other parts stay where they are."""
        versions = [i for i in (*mine, *free) if i != chosen and i not in self.user and self.defines(i, exercise)]
        for i in (*mine, *versions):
            if i in self.user or self.cells[i].kind != "code":
                continue
            if not self.codes[i].bound & exercise.wanted:
                self.role[i] = None  # one half of a split cell: a helper, the learner's own
                continue
            self.user[i] = exercise.name
            if self.codes[i].lines != self.codes[chosen].lines:
                self.before.setdefault(exercise.place, []).append(self.cells[i].source)
        if versions:
            self.notes.append(
                f"{shown(exercise.name)}: {listed(exercise.wanted)} is defined {len(versions) + 1} times; "
                f"the last one counts, cell {chosen + 1}."
            )

    def answer_in_words(self, exercise: Exercise) -> None:
        """Put together what was written for a text exercise: in its cell, its parts, and text cells that follow it."""
        here = [i for i, role in enumerate(self.role) if role == exercise.place]
        nearest = [i for i, role in enumerate(self.role) if role in (exercise.place - 1, exercise.place - 2)]
        parts = set(here)
        for start in here or nearest[-1:]:
            for i in range(start + 1, len(self.cells)):
                if self.role[i] not in (None, exercise.place):
                    break
                if self.cells[i].kind != "code":
                    parts.add(i)
        parts = [i for i in sorted(parts) if self.codes[i].exact not in ((), exercise.stub.exact)]
        texts = list(dict.fromkeys(self.cells[i].source.strip("\n") for i in parts))
        if not texts:
            return
        pictures = {name: data for i in reversed(parts) for name, data in self.cells[i].attachments.items()}
        self.answers[exercise.name] = Answer("\n\n".join(texts), pictures)
        self.user |= dict.fromkeys(parts, exercise.name)
        if len(texts) > 1:
            where = ", ".join(str(i + 1) for i in parts)
            self.notes.append(f"{shown(exercise.name)}: the answer was put together from cells {where}.")

    def written(self, i: int, exercise: Exercise) -> bool:
        """Whether there is more in a cell than its exercise gave."""
        return bool(self.codes[i].lines) and self.codes[i].lines != exercise.stub.lines

    def defines(self, i: int, exercise: Exercise) -> bool:
        code = self.codes[i]
        return bool(code.defined & exercise.wanted) and not code.still_open(exercise.stub, exercise.wanted)

    def edited(self, i: int) -> bool:
        return self.cells[i].kind == "code" and self.codes[i].exact != self.released_codes[self.role[i]].exact

    def tell_missing(self) -> None:
        for exercise in self.exercises:
            if exercise.place not in self.role and self.answers[exercise.name].source is None:
                self.notes.append(f"{shown(exercise.name)}: its cell is missing, so it counts as not begun.")

    # The learner's own code

    def place_own(self) -> None:
        """The learner's own code cells go after the released cell that they followed."""
        main = {place: i for i, place in reversed(list(enumerate(self.role))) if place is not None}
        main |= {self.role[i]: i for i in self.user if self.role[i] is not None}
        anchor = -1
        for i, place in enumerate(self.role):
            if place is not None and main[place] == i:
                anchor = place
            if place is None and i not in self.user and self.cells[i].kind == "code" and self.codes[i].lines:
                self.after.setdefault(anchor, []).append(self.cells[i].source)
        self.save_additions()

    def save_additions(self) -> None:
        """A released cell counts as released; an import or a function added to it lives on if an answer uses it."""
        texts = [answer.source for answer in self.answers.values() if answer.source]
        texts += [text for each in (*self.before.values(), *self.after.values()) for text in each]
        used = frozenset().union(*(Code(text).words for text in texts)) if texts else frozenset()
        given = frozenset().union(*(code.bound for code in self.released_codes))
        yours = {exercise.place for exercise in self.exercises}
        for i, place in enumerate(self.role):
            if place is None or place in yours or i in self.user or not self.edited(i):
                continue
            added = closure(self.codes[i], self.codes[i].bound - given, used)
            if added:
                self.after.setdefault(place, []).insert(0, self.codes[i].cut(added))
                self.notes.append(
                    f"Cell {i + 1} is the course's and counts as it was released; what you added to it and use in an "
                    f"answer was taken along: {listed(added)}. A cell of your own is the place for it."
                )


def closure(code: Code, offered: frozenset[str], used: frozenset[str]) -> frozenset[str]:
    """The offered names that are used, by others or by statements of `code` that are used themselves."""
    wanted = offered & used
    while True:
        more = offered & Code(code.cut(wanted)).words
        if more <= wanted:
            return wanted
        wanted |= more


def exercises(released: list) -> list[Exercise]:
    """The cells of a release that are the learner's to fill in."""
    found = []
    for place, cell in enumerate(released):
        if grading(cell).get("solution"):
            stub, is_code = Code(cell["source"]), cell["cell_type"] == "code"
            found.append(Exercise(place, grading(cell)["grade_id"], is_code, stub, stub.defined or stub.bound))
    return found


def grading(cell) -> dict:
    return cell["metadata"].get("nbgrader", {})


def listed(names: frozenset[str]) -> str:
    """Names for a sentence."""
    first = sorted(names)[:5]
    return ", ".join(map(shown, first)) + (" and others" if len(names) > len(first) else "")
