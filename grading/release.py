"""solutions/ -> notebooks/: what learners get, made by nbgrader's own generate_assignment.

Releasing twice changes nothing, on any machine: no time, version or output goes in, and files that are already right
are not touched. Everything is made in a folder apart first, so that a refusal leaves notebooks/ as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from grading.converters import listener
from grading.course import LEFT_BY_WORK, ROOT, chapters, config


class Refused(Exception):
    """Something is wrong with the sources; the message says what."""


def release(root: Path = ROOT, *, gradebook: bool = True) -> list[Path]:
    """Bring `root`/notebooks up to date with `root`/solutions.

    Parameters
    ----------
    root : Path
        A course folder.
    gradebook : bool
        Whether to write the exercises and their points into the course's gradebook as well, as autograding needs it.

    Returns
    -------
    list of Path
        The files that were written or removed; empty if the release was up to date.

    Raises
    ------
    Refused
        If a chapter has faults, or the gradebook holds submissions to another version of it.
    """
    from grading.faults import faults  # it asks the questions, which import torch: only a release pays for that

    names = chapters(root / "solutions")
    found = [fault for name in names for fault in faults(read(root, name), name)]
    if found:
        raise Refused("Nothing was released:\n- " + "\n- ".join(found))
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary) / "notebooks"
        made.mkdir()
        for name in names:
            generate(root, name, made, gradebook)
        return mirror(made, root / "notebooks")


def read(root: Path, name: str):
    """A chapter's source. Raises Refused if it is no notebook."""
    path = root / "solutions" / name / f"{name}.ipynb"
    try:
        nb = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(nb)
    except Exception as error:
        raise Refused(f"{path} is not a valid notebook: {str(error).splitlines()[0]}") from error
    if (nb.nbformat, nb.nbformat_minor) < (4, 5):
        form = f"{nb.nbformat}.{nb.nbformat_minor}"
        raise Refused(f"{path} is of format {form}, in which cells have no ids; 4.5 is needed.")
    return nb


def generate(root: Path, name: str, made: Path, gradebook: bool) -> None:
    """Let nbgrader make one chapter's release in the folder `made`."""
    settings = config(root)
    settings.CourseDirectory.release_directory = str(made)
    settings.GenerateAssignment.no_database = not gradebook
    settings.SaveCells.enabled = gradebook
    converter = GenerateAssignment(coursedir=CourseDirectory(config=settings, assignment_id=name), config=settings)
    converter.log, heard = listener()
    try:
        converter.start()
    except NbGraderException as error:
        raise Refused(explain(name, "\n".join(heard))) from error


def explain(name: str, log: str) -> str:
    """Why nbgrader would not release a chapter, in a sentence if it is the one reason that is to be expected."""
    if "there are submissions associated" in log:
        return (
            f"{name}: the gradebook holds submissions, and exercises were added or removed since. Either undo that, or "
            f"put the grades aside: move grading/gradebook.db away, release, and autograde again."
        )
    return f"{name}: nbgrader could not release it.\n{log}"


def mirror(made: Path, target: Path) -> list[Path]:
    """Make `target` the same as `made`, touching only what differs; return what was touched."""
    new = {path.relative_to(made): path for path in made.rglob("*") if path.is_file()}
    old = {path.relative_to(target): path for path in target.rglob("*") if path.is_file() and not worked_on(path)}
    touched = []
    for name, path in sorted(new.items()):
        if name not in old or path.read_bytes() != old[name].read_bytes():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)
            touched.append(target / name)
    for name in sorted(old.keys() - new.keys()):
        old[name].unlink()
        touched.append(old[name])
    for folder in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    return touched


def worked_on(path: Path) -> bool:
    """Whether a file is not the release's, but was left by somebody who worked in its notebook."""
    return bool({".ipynb_checkpoints", *LEFT_BY_WORK} & set(path.parts))
