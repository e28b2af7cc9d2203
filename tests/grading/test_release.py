"""Releasing: notebooks/ is what solutions/ gives, twice the same, and whole or not at all."""

import shutil

import nbformat
import pytest
from courses import CHAPTER, SOLUTION, cell, chapter, course, released

from grading.course import ROOT, addresses, chapters, found
from grading.release import Refused, release, worked_on


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not worked_on(path)
    }


def test_the_released_notebooks_are_in_sync(tmp_path):
    root = found(tmp_path)
    shutil.copytree(ROOT / "solutions", root / "solutions", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    release(root, gradebook=False)
    made, kept = files(root / "notebooks"), files(ROOT / "notebooks")
    stale = [name for name in {*made, *kept} if made.get(name) != kept.get(name)]
    assert not stale, f"these differ from what solutions/ gives; run `make release`: {stale}"


def test_what_work_in_place_leaves_is_neither_released_nor_deleted(tmp_path):
    root = course(tmp_path)
    release(root, gradebook=False)
    for folder in ("solutions", "notebooks"):
        runs = root / folder / CHAPTER / "assignment_runs" / f"of {folder}"
        runs.mkdir(parents=True)
        (runs / "run.json").write_text("{}")
    (root / "solutions" / CHAPTER / "assignment_cifar10.zip").write_bytes(b"solution")
    assert release(root, gradebook=False) == []
    left = {path.name for path in (root / "notebooks" / CHAPTER).rglob("*")}
    assert left == {f"{CHAPTER}.ipynb", "assignment_runs", "of notebooks", "run.json"}


def test_a_second_release_touches_nothing(tmp_path):
    root = course(tmp_path)
    assert [path.name for path in release(root, gradebook=False)] == [f"{CHAPTER}.ipynb"]
    before = {path: path.stat().st_mtime_ns for path in (root / "notebooks").rglob("*")}
    assert release(root, gradebook=False) == []
    assert before == {path: path.stat().st_mtime_ns for path in (root / "notebooks").rglob("*")}


def test_the_machine_that_ran_the_source_leaves_no_trace(tmp_path):
    other = chapter()
    other.metadata.language_info.version = "3.13.1"
    other.metadata.kernelspec = {"display_name": "my env", "language": "python", "name": "my-env"}
    other.cells[3].metadata.update(execution={"iopub.execute_input": "2026-01-01"}, collapsed=True, scrolled=True)
    here, there = course(tmp_path / "here"), course(tmp_path / "there", other)
    release(here, gradebook=False)
    release(there, gradebook=False)
    assert files(here / "notebooks") == files(there / "notebooks")


def test_what_a_learner_gets(tmp_path):
    root = course(tmp_path)
    release(root, gradebook=False)
    nb = released(root)
    cells = {cell.id: cell for cell in nb.cells}
    assert list(cells) == [cell.id for cell in chapter().cells]
    assert cells["size"].source == (
        "def conv_output_size(n, kernel_size, stride=1, padding=0, dilation=1):\n"
        '    """How many places there are for the kernel."""\n'
        "    raise NotImplementedError\n\n"
        "conv_output_size(7, 3)"
    )
    assert cells["size"].metadata.tags == ["raises-exception"]
    assert cells["check-size"].source == 'check("conv_output_size", conv_output_size)'
    assert "inside" not in cells["why"].source
    assert nb.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_addresses_come_from_pyproject(tmp_path):
    root = course(tmp_path)
    release(root, gradebook=False)
    text = released(root).cells[0].source + released(root).cells[1].source
    known = addresses()
    assert f"({known['COLAB']}/{CHAPTER}/{CHAPTER}.ipynb)" in text
    assert f"({known['BINDER']}/{CHAPTER}/{CHAPTER}.ipynb)" in text
    assert f'"git+{known["ADDRESS"]}@{known["TAG"]}"' in text
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text('[project]\nversion = "1.2.0"\n[project.urls]\nLearners = "https://github.com/a-b/c.d.git"\n')
    assert addresses(pyproject) == {
        "COLAB": "https://colab.research.google.com/github/a-b/c.d/blob/v1.2.0/notebooks",
        "BINDER": "https://mybinder.org/v2/gh/a-b/c.d/v1.2.0?labpath=notebooks",
        "ADDRESS": "https://github.com/a-b/c.d",
        "TAG": "v1.2.0",
    }
    pyproject.write_text('[project]\nversion = "1.2.0"\n[project.urls]\nLearners = "https://example.org/course"\n')
    with pytest.raises(ValueError, match="OWNER/REPOSITORY"):
        addresses(pyproject)


def test_files_beside_the_notebook_come_along_and_go_again(tmp_path):
    root = course(tmp_path)
    beside = root / "solutions" / CHAPTER / "images" / "kernel.svg"
    beside.parent.mkdir()
    beside.write_text("<svg/>")
    release(root, gradebook=False)
    copy = root / "notebooks" / CHAPTER / "images" / "kernel.svg"
    assert copy.read_text() == "<svg/>"
    beside.unlink()
    assert release(root, gradebook=False) == [copy]
    assert not copy.parent.exists()


def test_a_refused_release_leaves_everything_as_it_was(tmp_path):
    root = course(tmp_path)
    release(root, gradebook=False)
    before = files(root / "notebooks")
    nb = chapter()
    nb.cells[5].source = SOLUTION.replace("### END SOLUTION", "")
    nb.cells[3].source = "ones = 11"
    nbformat.write(nb, root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb")
    with pytest.raises(Refused, match=r"cell 6 \(size\): the region of '### BEGIN SOLUTION' is never closed"):
        release(root, gradebook=False)
    assert files(root / "notebooks") == before


def test_no_notebook_at_all_is_refused(tmp_path):
    root = course(tmp_path)
    (root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb").write_text("<<<<<<< HEAD")
    with pytest.raises(Refused, match="not a valid notebook"):
        release(root)


def test_an_old_notebook_is_refused(tmp_path):
    nb = chapter()
    nb.nbformat_minor = 4
    for old in nb.cells:
        old.pop("id")
    with pytest.raises(Refused, match="cells have no ids"):
        release(course(tmp_path, nb))


def test_the_gradebook_is_touched_only_if_it_should_be(tmp_path):
    root = course(tmp_path)
    release(root, gradebook=False)
    assert not (root / "grading" / "gradebook.db").exists()
    release(root)
    assert (root / "grading" / "gradebook.db").exists()


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_a_gradebook_with_submissions_is_not_overrun(tmp_path):
    from nbformat.v4 import new_markdown_cell
    from nbgrader.api import Gradebook

    from grading.course import gradebook_url

    root = course(tmp_path)
    release(root)
    with Gradebook(gradebook_url(root)) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission(CHAPTER, "ada")
    nb = chapter()
    nb.cells.append(cell(new_markdown_cell, "more", "One more question.", solution=True, grade=True, points=1))
    nbformat.write(nb, root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb")
    before = files(root / "notebooks")
    with pytest.raises(Refused, match="the gradebook holds submissions"):
        release(root)
    assert files(root / "notebooks") == before


def test_every_chapter_is_released():
    assert chapters(ROOT / "solutions") == chapters(ROOT / "notebooks") != []
