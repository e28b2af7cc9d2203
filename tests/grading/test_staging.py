"""Staging: what was handed in is kept byte for byte, and nothing is lost wherever a run is broken off."""

import json
import os

import nbformat
import pytest
from classroom import PARTLY, RIGHT, hand_in
from courses import CHAPTER, chapter, course, released

from grading import staging
from grading.release import release
from grading.staging import before_autograde, handed_in, originals, stage, submitted, taken_in


@pytest.fixture
def root(tmp_path, small):
    """A course whose small chapter is released; copied, for a release takes a second."""
    import shutil

    shutil.copytree(small, tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = course(tmp_path_factory.mktemp("small"))
    release(root, gradebook=False)
    return root


def answer(root, learner):
    nb = nbformat.read(submitted(root, learner, CHAPTER) / f"{CHAPTER}.ipynb", as_version=4)
    return next(cell.source for cell in nb.cells if cell.id == "size")


def kept(root, learner):
    return sorted(path.name for path in originals(root, learner, CHAPTER).iterdir())


def test_what_was_handed_in_is_kept_byte_for_byte(root):
    path = hand_in(root, "ada", RIGHT, name="my work (1)")
    (path.parent / "notes.txt").write_bytes(b"\xff\x00 my notes\r\n")
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    staged = stage(root, "ada", CHAPTER)
    raw = originals(root, "ada", CHAPTER) / staged.raw
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == before
    assert [file.name for file in submitted(root, "ada", CHAPTER).iterdir()] == [f"{CHAPTER}.ipynb"]
    assert answer(root, "ada") == RIGHT and any("my work (1)" in note for note in staged.notes)


def test_staging_twice_changes_nothing(root):
    hand_in(root, "ada", RIGHT)
    first = stage(root, "ada", CHAPTER)
    before = {path: path.stat().st_mtime_ns for path in (root / "grading").rglob("*")}
    assert stage(root, "ada", CHAPTER) == first
    assert {path: path.stat().st_mtime_ns for path in (root / "grading").rglob("*")} == before


def test_a_newer_submission_takes_the_place_of_an_older_one(root):
    hand_in(root, "ada", PARTLY)
    stage(root, "ada", CHAPTER)
    second = hand_in(root, "ada", RIGHT).read_bytes()
    assert taken_in(root, "ada", CHAPTER) is None
    staged = stage(root, "ada", CHAPTER)
    assert staged.raw == "002" and answer(root, "ada") == RIGHT
    assert kept(root, "ada") == ["001", "002", "manifest.json"]
    assert (originals(root, "ada", CHAPTER) / "002" / f"{CHAPTER}.ipynb").read_bytes() == second


def test_the_timestamp_stays_beside_the_notebook(root):
    path = hand_in(root, "ada", RIGHT)
    (path.parent / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC")
    stage(root, "ada", CHAPTER)
    assert (submitted(root, "ada", CHAPTER) / "timestamp.txt").read_text() == "2026-01-02 03:04:05 UTC"
    assert taken_in(root, "ada", CHAPTER)


class Killed(BaseException):
    """In place of the power cut."""


STEPS = [("os.rename", 1), ("os.rename", 2), ("os.fsync", 1), ("os.fsync", 2), ("shutil.rmtree", 2)]


@pytest.mark.parametrize(("call", "times"), STEPS)
@pytest.mark.parametrize("earlier", ["first", "second", "other release"])
def test_broken_off_anywhere_nothing_is_lost(root, monkeypatch, call, times, earlier):
    if earlier != "first":
        hand_in(root, "ada", PARTLY)
        stage(root, "ada", CHAPTER)
    if earlier == "other release":
        change_release(root)
        wanted, last = PARTLY, "001"
        handed = (originals(root, "ada", CHAPTER) / "001" / f"{CHAPTER}.ipynb").read_bytes()
    else:
        handed = hand_in(root, "ada", RIGHT).read_bytes()
        wanted, last = RIGHT, "001" if earlier == "first" else "002"
    for _ in range(2):  # and broken off again where it goes on
        with monkeypatch.context() as patch:
            module, name = call.split(".")
            real, left = getattr(getattr(staging, module), name), [times]

            def dies(*arguments, real=real, left=left, **options):
                left[0] -= 1
                if left[0] == 0:
                    raise Killed
                return real(*arguments, **options)

            patch.setattr(getattr(staging, module), name, dies)
            try:
                stage(root, "ada", CHAPTER)
            except Killed:
                assert handed_in(root, CHAPTER) == ["ada"]
    staged = stage(root, "ada", CHAPTER)
    assert staged == taken_in(root, "ada", CHAPTER) and answer(root, "ada") == wanted
    assert (originals(root, "ada", CHAPTER) / staged.raw / f"{CHAPTER}.ipynb").read_bytes() == handed
    assert staged.raw == last and kept(root, "ada") == [*(f"{n + 1:03}" for n in range(int(last))), "manifest.json"]


def change_release(root):
    nb = chapter()
    next(cell for cell in nb.cells if cell.id == "one").source = "ones = 1  # as before"
    nbformat.write(nb, root / "solutions" / CHAPTER / f"{CHAPTER}.ipynb")
    release(root, gradebook=False)


def test_after_another_release_it_is_taken_in_again(root):
    hand_in(root, "ada", RIGHT)
    first = stage(root, "ada", CHAPTER)
    change_release(root)
    assert taken_in(root, "ada", CHAPTER) is None
    again = stage(root, "ada", CHAPTER)
    assert again.raw == first.raw == "001" and kept(root, "ada") == ["001", "manifest.json"]
    nb = nbformat.read(submitted(root, "ada", CHAPTER) / f"{CHAPTER}.ipynb", as_version=4)
    assert "ones = 1  # as before" in [cell.source for cell in nb.cells] and answer(root, "ada") == RIGHT


@pytest.mark.parametrize("refuse", ["damaged", "symlink", "empty"])
def test_what_is_refused_stays_refused(root, tmp_path, refuse):
    folder = submitted(root, "eve", CHAPTER)
    if refuse == "damaged":
        hand_in(root, "eve", raw=b"<<<<<<< HEAD")
    elif refuse == "symlink":
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / f"{CHAPTER}.ipynb").write_text(nbformat.writes(released(root)))
        folder.parent.mkdir(parents=True)
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir(parents=True)
    staged = stage(root, "eve", CHAPTER)
    assert staged.refused and "NotImplementedError" in answer(root, "eve")
    assert stage(root, "eve", CHAPTER) == staged
    change_release(root)  # the notebook in its place could pass for one in which nothing was begun
    assert stage(root, "eve", CHAPTER).refused
    raw = originals(root, "eve", CHAPTER) / staged.raw
    assert os.path.lexists(raw) and raw.is_symlink() == (refuse == "symlink")
    hand_in(root, "eve", RIGHT)
    assert not stage(root, "eve", CHAPTER).refused and answer(root, "eve") == RIGHT


def test_refused_on_arrival(root):
    """Nothing of it could be kept as a submission, but the learner is not forgotten."""
    why = root / "grading" / "received" / CHAPTER / "refused" / "mallory" / "why.txt"
    why.parent.mkdir(parents=True)
    why.write_text("The ZIP holds a bomb.\n")
    assert handed_in(root, CHAPTER) == ["mallory"]
    staged = stage(root, "mallory", CHAPTER)
    assert staged.refused == "The ZIP holds a bomb."
    change_release(root)
    assert stage(root, "mallory", CHAPTER).refused == "The ZIP holds a bomb."
    hand_in(root, "mallory", RIGHT, name="second try")
    assert not stage(root, "mallory", CHAPTER).refused and answer(root, "mallory") == RIGHT


def test_who_handed_in_nothing_is_told_so(root):
    with pytest.raises(FileNotFoundError, match=f"ada has handed in nothing for {CHAPTER}"):
        stage(root, "ada", CHAPTER)
    assert handed_in(root, CHAPTER) == []


def test_a_damaged_manifest_is_not_guessed_around(root):
    hand_in(root, "eve", raw=b"{")
    stage(root, "eve", CHAPTER)
    manifest = originals(root, "eve", CHAPTER) / "manifest.json"
    manifest.write_text(manifest.read_text()[:20])
    with pytest.raises(RuntimeError, match=r"manifest\.json is damaged.*and grade again"):
        stage(root, "eve", CHAPTER)
    manifest.write_text(json.dumps({"clean": "", "raw": "001", "notes": [], "colour": "blue"}))
    with pytest.raises(RuntimeError, match="is damaged"):
        stage(root, "eve", CHAPTER)


def test_nbgraders_hook_leaves_one_notebook(root, monkeypatch):
    path = hand_in(root, "ada", RIGHT, name="renamed")
    monkeypatch.chdir(root)
    notebooks = [str(path.relative_to(root))]
    before_autograde(CHAPTER, "*", notebooks)
    assert notebooks == [str(submitted(root, "ada", CHAPTER) / f"{CHAPTER}.ipynb")]
