"""A submitted folder → the released notebook with the learner's answers in it."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from grading.intake import files
from grading.intake.limits import Limits, Refused, shown
from grading.intake.match import Answer, Match, grading
from grading.intake.read import cells

NOTES = 30  # more than anyone reads
MERGE_MARKER = re.compile(r"^(<{7}|>{7})( |$)", re.M)


@dataclass(frozen=True)
class Taken:
    """A submission as it is graded.

    Attributes
    ----------
    notebook : NotebookNode
        The released notebook with the learner's answers, and with the learner's own code cells among its cells; their
        metadata is `{"course": {"own": True}}`. There are no outputs.
    notes : tuple of str
        What was odd about the submission and how it was understood: sentences for the learner and the instructor.
    file : Path
        The notebook that was read, relative to the submitted folder.
    """

    notebook: NotebookNode
    notes: tuple[str, ...]
    file: Path

    @property
    def answers(self) -> dict[str, str]:
        """By grade_id, the text that stands where the learner's answer belongs."""
        filled = (cell for cell in self.notebook.cells if grading(cell).get("solution"))
        return {cell.metadata.nbgrader.grade_id: cell.source for cell in filled}

    @property
    def own(self) -> list[str]:
        """The learner's own code cells."""
        return [cell.source for cell in self.notebook.cells if cell.metadata.get("course", {}).get("own")]


def take(
    folder: Path, released: NotebookNode, chapter: str, limits: Limits | None = None, *, ignored: bool = True
) -> Taken:
    """Read a submission; the folder is left as it is.

    Parameters
    ----------
    folder : Path
        What one learner submitted for one chapter: grading/submitted/LEARNER/CHAPTER.
    released : NotebookNode
        The chapter as learners got it, nbformat 4.5, with nbgrader's metadata. It is not changed.
    chapter : str
        For example "02_convolution_layers".
    ignored : bool
        Whether the notes name the files beside the notebook.

    Raises
    ------
    Refused
        If the submission cannot be taken; its text is a sentence for the learner's report.
    """
    limits = limits or Limits()
    there = files.look(folder, limits)
    tiers = files.by_name(there, chapter)
    if not tiers:
        raise Refused(nothing(there))
    path, match, notes = choose(folder, tiers, released, limits, chapter)
    if name := files.shadows(there, path.parent):
        raise Refused(
            f"Beside the notebook lies a module {shown(name)}, which hides the {whose(name)} of that name: with it, "
            "the same code means something else. Rename or delete it, restart the kernel, run all, and hand in again."
        )
    if path.name != f"{chapter}.ipynb":
        notes.append(f"The notebook is called {shown(path.name)}; it was read as {chapter}.ipynb.")
    if (folder / path).stat().st_nlink > 1:
        notes.append(f"{shown(path.name)} is also known under another name on this disk (a hard link).")
    if ignored and (others := [shown(other) for other in there if other != path]):
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        notes.append(f"Only the notebook is graded. These files are ignored: {', '.join(others[:5])}{more}.")
    notes += match.notes + broken_merges(match.answers)
    if len(notes) > NOTES:
        notes[NOTES:] = [f"There are {len(notes) - NOTES} more notes of this kind."]
    return Taken(filled(released, match), tuple(notes), path)


def nothing(there: list[Path]) -> str:
    """Why there is no notebook among these files."""
    wanted = "Hand in the notebook itself, the file ending in .ipynb."
    if not there:
        return f"The submission is empty: no file came with it. {wanted}"
    names = ", ".join(map(shown, there[:5])) + (f" and {len(there) - 5} more" if len(there) > 5 else "")
    return f"There is no notebook in the submission, only {names}. {wanted}"


def whose(name: str) -> str:
    return "course's own module" if name in files.OURS else "installed module"


def choose(
    folder: Path, tiers: list[list[Path]], released: NotebookNode, limits: Limits, chapter: str
) -> tuple[Path, Match, list[str]]:
    """The notebook to grade: of the likeliest name, if something is begun in it.

    Raises
    ------
    Refused
        If none can be read, or two of equal right hold different answers.
    """
    untouched, troubles, tried = [], [], 0
    for tier in tiers:
        begun = []
        for path in tier:
            if tried == limits.notebooks:
                break
            tried += 1
            try:
                match, notes = read(folder / path, released, limits, chapter)
            except Refused as refused:
                troubles.append((path, refused))
                continue
            (begun if match.begun else untouched).append((path, match, notes))
        if begun:
            return one_of(begun, tried_in_vain(troubles))
    if untouched:
        path, match, notes = untouched[0]
        return path, match, notes + tried_in_vain(troubles)
    path, refused = troubles[0]
    raise Refused(str(refused) if len(troubles) == 1 else f"{shown(path)}: {refused}") from refused


def tried_in_vain(troubles: list) -> list[str]:
    return [f"{shown(path)} was left aside. {refused}" for path, refused in troubles]


def one_of(begun: list, notes: list[str]) -> tuple[Path, Match, list[str]]:
    """The one notebook in which work was done, or the first of several with the same work in them."""
    path, match, own_notes = begun[0]
    for other, another, _ in begun[1:]:
        if another.answers != match.answers or another.after != match.after:
            raise Refused(
                f"The submission holds two notebooks with different answers, {shown(path)} and {shown(other)}, and "
                "nothing says which one counts. Hand in only one of them."
            )
    return path, match, own_notes + notes


def read(path: Path, released: NotebookNode, limits: Limits, chapter: str) -> tuple[Match, list[str]]:
    """One notebook, matched with the release. Raises Refused if it cannot be read, or is no copy of this chapter."""
    found, notes = cells(files.contents(path, limits), limits)
    match = Match(found, released.cells)
    if not match.known:
        raise Refused(
            f"This is not the notebook of {chapter}: none of its {len(found)} cells is one of the chapter's exercises. "
            f"Hand in {chapter}.ipynb with your answers."
        )
    return match, notes


def broken_merges(answers: dict[str, Answer]) -> list[str]:
    return [
        f"{shown(name)}: the answer holds merge markers of Git (“{marker[0].strip()}”); as it stands it is no Python."
        for name, answer in answers.items()
        if answer.source and (marker := MERGE_MARKER.search(answer.source))
    ]


def filled(released: NotebookNode, match: Match) -> NotebookNode:
    """A copy of the release with the answers and the learner's own code."""
    notebook = copy.deepcopy(released)
    taken = {cell.get("id") for cell in notebook.cells}
    own_cells = own(match.after.get(-1, []), taken)
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        answer = match.answers.get(grading(cell)["grade_id"]) if grading(cell).get("solution") else None
        answer = answer or Answer()
        if answer.source is not None:
            cell.source = answer.source
        if answer.attachments:
            cell.attachments = NotebookNode(answer.attachments)
        own_cells += [*own(match.before.get(place, []), taken), cell, *own(match.after.get(place, []), taken)]
    notebook.cells = own_cells
    return notebook


def own(sources: list[str], taken: set[str]) -> list[NotebookNode]:
    """Code cells of the learner's own, with ids that are not `taken` yet."""
    made = []
    for source in sources:
        number = 1 + sum(str(name).startswith("own-") for name in taken)
        while f"own-{number}" in taken:
            number += 1
        taken.add(f"own-{number}")
        made.append(
            NotebookNode(
                id=f"own-{number}",
                cell_type="code",
                metadata=NotebookNode(course=NotebookNode(own=True)),
                source=source,
                outputs=[],
                execution_count=None,
            )
        )
    return made
