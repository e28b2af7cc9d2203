"""Intake: which file of a submission is the notebook, and what lying beside it is refused or passed over."""

import os
import socket
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from saved_by import SAVED_BY
from test_intake import CHAPTER, DOUBLE, WORK, released, snapshot, told, worked

from grading.intake import Limits, Refused, take
from grading.intake.files import by_name, installed

GOOD = SAVED_BY["JupyterLab"](worked())
OTHER = SAVED_BY["JupyterLab"](worked({"double": "def double(x):\n    return 3 * x"}))
UNTOUCHED = SAVED_BY["JupyterLab"](released())
ELSEWHERE = SAVED_BY["JupyterLab"](new_notebook(cells=[new_code_cell("print('another notebook')")]))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "submitted" / "ana" / CHAPTER
    made.mkdir(parents=True)
    return made


def put(folder, **contents):
    for name, data in contents.items():
        write(folder / name.replace("__", "."), data)


def write(path, data=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def taken(folder, **limits):
    before = snapshot(folder.parents[2])
    try:
        return take(folder, released(), CHAPTER, Limits(**limits))
    finally:
        assert snapshot(folder.parents[2]) == before


def refused(folder, **limits):
    with pytest.raises(Refused) as caught:
        taken(folder, **limits)
    return str(caught.value)


# Which notebook


NAMES = [
    f"{CHAPTER}.ipynb",
    f"{CHAPTER} (1).ipynb",
    f"{CHAPTER}(12).ipynb",
    f"{CHAPTER}-copy.ipynb",
    f"{CHAPTER}-Copy1.ipynb",
    f"{CHAPTER} - Copy (2).ipynb",
    f"{CHAPTER}_final_v2.ipynb",
    f"{CHAPTER}-1.ipynb",
    f"Copy of {CHAPTER}.ipynb",
    f"Kopie von {CHAPTER} (1).ipynb",
    f"{CHAPTER.upper()}.IPYNB",
    f"{CHAPTER}.ipynb.txt",
    f"{CHAPTER}.ipynb.json",
    f"{CHAPTER}.json",
    "Untitled.ipynb",
    "我的作业 🎓.ipynb",
    "\u202egpj.ipynb",
    "-rf.ipynb",
    "a\nb.ipynb",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_the_notebook(folder, name):
    write(folder / name, GOOD)
    found = taken(folder)
    assert found.answers == WORK
    assert found.file.name == name
    assert bool(found.notes) == (name != f"{CHAPTER}.ipynb")
    assert all(note.isprintable() for note in found.notes)


def test_the_chapters_name_comes_first():
    from pathlib import Path

    files = [Path(name) for name in ("x.ipynb", f"{CHAPTER} (1).ipynb", "a.py", f"sub/{CHAPTER}.ipynb", "98_x.ipynb")]
    tiers = [[str(path) for path in tier] for tier in by_name(files, CHAPTER)]
    assert tiers == [[f"sub/{CHAPTER}.ipynb"], [f"{CHAPTER} (1).ipynb"], ["x.ipynb", "98_x.ipynb"]]
    assert by_name([Path("a" * 200 + "1" * 50 + "x.ipynb")], CHAPTER)


def test_of_several_notebooks_the_one_with_the_chapters_name_is_taken(folder):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD, f"{CHAPTER} (1)__ipynb": OTHER, "notes__ipynb": ELSEWHERE})
    found = taken(folder)
    assert found.answers == WORK
    assert told(found, "These files are ignored", f"{CHAPTER} (1).ipynb", "notes.ipynb")


def test_a_copy_with_work_beats_an_untouched_original(folder):
    put(folder, **{f"{CHAPTER}__ipynb": UNTOUCHED, f"{CHAPTER}-copy__ipynb": GOOD})
    found = taken(folder)
    assert found.answers == WORK
    assert told(found, f"{CHAPTER}-copy.ipynb", f"read as {CHAPTER}.ipynb")


def test_without_the_name_the_content_decides(folder):
    put(folder, a__ipynb=ELSEWHERE, b__ipynb=GOOD, c__ipynb=UNTOUCHED, package__json=b"{}")
    assert taken(folder).file.name == "b.ipynb"


def test_two_notebooks_with_different_answers_are_refused_by_name(folder):
    put(folder, **{f"{CHAPTER} (1)__ipynb": GOOD, f"{CHAPTER} (2)__ipynb": OTHER})
    sentence = refused(folder)
    assert f"“{CHAPTER} (1).ipynb” and “{CHAPTER} (2).ipynb”" in sentence
    assert "only one" in sentence


def test_two_notebooks_with_the_same_answers_are_one(folder):
    put(folder, **{f"{CHAPTER} (1)__ipynb": GOOD, f"{CHAPTER} (2)__ipynb": SAVED_BY["Colab"](worked())})
    assert taken(folder).answers == WORK


def test_two_notebooks_with_the_same_answers_and_different_helpers(folder):
    nb = worked()
    nb.cells.insert(1, new_code_cell("def helper():\n    return 1"))
    put(folder, **{f"{CHAPTER} (1)__ipynb": GOOD, f"{CHAPTER} (2)__ipynb": SAVED_BY["JupyterLab"](nb)})
    assert "different answers" in refused(folder)


def test_a_damaged_original_beside_a_good_copy(folder):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD[:1000], f"{CHAPTER} (1)__ipynb": GOOD})
    found = taken(folder)
    assert found.answers == WORK
    assert told(found, f"{CHAPTER}.ipynb", "left aside", "breaks off")


def test_only_damaged_notebooks(folder):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD[:1000], "b__ipynb": b"{}"})
    assert "breaks off" in refused(folder)


def test_no_more_notebooks_are_read_than_allowed(folder):
    for number in range(30):
        write(folder / f"{number:02}.ipynb", ELSEWHERE)
    write(folder / "99.ipynb", GOOD)
    assert "not the notebook of" in refused(folder)
    assert taken(folder, notebooks=40).answers == WORK


def test_a_notebook_in_a_folder_of_a_folder(folder):
    write(folder / "cnn-course" / "notebooks" / CHAPTER / f"{CHAPTER}.ipynb", GOOD)
    write(folder / "cnn-course" / "utils" / "__init__.py")  # the course as they got it: it hides nothing there
    assert taken(folder).answers == WORK


# No notebook


def test_an_empty_folder(folder):
    assert "The submission is empty" in refused(folder)
    put(folder, __DS_Store=b"x")
    write(folder / "__MACOSX" / f"._{CHAPTER}.ipynb")
    write(folder / ".ipynb_checkpoints" / f"{CHAPTER}-checkpoint.ipynb", GOOD)
    assert "The submission is empty" in refused(folder)


def test_no_folder(folder):
    folder.rmdir()
    assert "no submission" in refused(folder)


def test_a_file_instead_of_a_folder(folder):
    folder.rmdir()
    write(folder, GOOD)
    assert "no submission" in refused(folder)


def test_another_kind_of_file(folder):
    put(folder, homework__pdf=b"%PDF", homework__html=b"<html>", homework__py=b"x")
    sentence = refused(folder)
    assert "no notebook in the submission, only “homework.html”, “homework.pdf”, “homework.py”" in sentence
    assert "ending in .ipynb" in sentence


# Links and other files that are none


def test_the_notebook_is_a_link(folder, tmp_path):
    write(tmp_path / "secret.ipynb", GOOD)
    (folder / f"{CHAPTER}.ipynb").symlink_to(tmp_path / "secret.ipynb")
    assert f"“{CHAPTER}.ipynb” is a link" in refused(folder)


def test_a_link_beside_the_notebook(folder):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD})
    (folder / "data").symlink_to("/etc")
    assert "“data” is a link" in refused(folder)


def test_a_folder_on_the_way_is_a_link(folder, tmp_path):
    write(tmp_path / "elsewhere" / f"{CHAPTER}.ipynb", GOOD)
    (folder / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "“sub” is a link" in refused(folder)


@pytest.mark.parametrize("which", ["chapter", "learner"])
def test_the_submitted_folder_is_a_link(folder, tmp_path, which):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD})
    moved = folder if which == "chapter" else folder.parent
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "is a link that leads elsewhere" in refused(folder)


def test_a_broken_link_and_a_link_to_itself(folder):
    (folder / f"{CHAPTER}.ipynb").symlink_to("nowhere")
    assert "is a link" in refused(folder)
    (folder / f"{CHAPTER}.ipynb").unlink()
    (folder / f"{CHAPTER}.ipynb").symlink_to(f"{CHAPTER}.ipynb")
    assert "is a link" in refused(folder)


def test_a_pipe_does_not_make_it_wait(folder):
    os.mkfifo(folder / f"{CHAPTER}.ipynb")
    assert "no ordinary file" in refused(folder)


def test_a_socket(folder, monkeypatch):
    monkeypatch.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{CHAPTER}.ipynb")
        assert "no ordinary file" in refused(folder)


def test_a_file_that_becomes_a_link_after_it_was_looked_at(folder, tmp_path, monkeypatch):
    from pathlib import Path

    write(tmp_path / "secret.ipynb", GOOD)
    (folder / f"{CHAPTER}.ipynb").symlink_to(tmp_path / "secret.ipynb")
    monkeypatch.setattr("grading.intake.files.look", lambda *_: [Path(f"{CHAPTER}.ipynb")])
    assert "cannot be read" in refused(folder)


def test_a_hard_link_is_told(folder, tmp_path):
    write(tmp_path / "other.ipynb", GOOD)
    os.link(tmp_path / "other.ipynb", folder / f"{CHAPTER}.ipynb")
    assert told(taken(folder), "hard link")


def test_too_many_files_and_too_deep(folder):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD})
    for number in range(5):
        write(folder / "many" / str(number))
    assert "more than 5 files" in refused(folder, entries=5)
    write(folder.joinpath(*"abcdefgh") / "x")
    assert "more than 5 deep" in refused(folder, depth=5)


# What lies beside


@pytest.mark.parametrize(
    "name",
    [
        "torch.py",
        "numpy/__init__.py",
        "requests.py" if installed("requests") else "json.py",
        "random.py",
        "utils.py",
        "utils/__init__.py",
        "grading.py",
        "torch.so",
        f"numpy.{sys.implementation.cache_tag}-x86_64-linux-gnu.so" if os.name == "posix" else "numpy.pyd",
        "sitecustomize.py",
        "nbgrader/__init__.pyc",
    ],
)
def test_a_module_that_hides_another_is_refused(folder, name):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD})
    write(folder / name)
    sentence = refused(folder)
    assert f"“{name.partition('.')[0].partition('/')[0]}”" in sentence
    assert "Rename or delete it" in sentence
    assert ("course's own" in sentence) == name.startswith(("utils", "grading"))


@pytest.mark.parametrize(
    "name",
    ["helpers.py", "my_utils.py", "data/picture.png", "numpy/notes.txt", "sub/torch.py", "torch.txt", "torch.ipynb.py"],
)
def test_other_files_are_ignored_and_told(folder, name):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD})
    write(folder / name)
    found = taken(folder)
    assert found.answers == WORK
    assert told(found, "These files are ignored", name)


def test_litter_is_passed_over_without_a_word(folder):
    put(folder, **{f"{CHAPTER}__ipynb": GOOD, "timestamp__txt": b"2026-01-01", "Thumbs__db": b"x", "__DS_Store": b"x"})
    write(folder / "__pycache__" / "torch.cpython-311.pyc")
    write(folder / ".ipynb_checkpoints" / f"{CHAPTER}-checkpoint.ipynb", OTHER)
    assert taken(folder).notes == ()


def test_many_odd_things_make_a_bounded_number_of_notes(folder):
    nb = worked()
    for number in range(100):
        nb.cells.append(new_code_cell(f"{DOUBLE}\0"))
        nb.cells[-1].id = f"id{number}"
    import json

    write(folder / f"{CHAPTER}.ipynb", json.dumps(nb).encode())
    assert len(taken(folder).notes) <= 31


def test_what_is_installed_is_found_without_importing_it():
    before = set(sys.modules)
    assert installed("torch")
    assert installed("antigravity")
    assert not installed("helpers")
    assert not installed("notebooks")
    assert "antigravity" not in set(sys.modules) - before
