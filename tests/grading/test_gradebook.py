"""The gradebook as a table, and gradebooks that lie in wrong places."""

import shutil

import nbformat
import pytest
from courses import CHAPTER, course, released
from nbgrader.api import Gradebook

from grading.__main__ import main
from grading.course import gradebook_url, strays
from grading.gradebook import marks, table
from grading.release import release

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course with a score from the machine, one from a person, one that is missing, and one to be given by hand."""
    root = course(tmp_path_factory.mktemp("course"))
    release(root)
    with Gradebook(gradebook_url(root)) as gradebook:
        for name in ("ada", "bob", "cleo"):
            gradebook.update_or_create_student(name)
        for name, auto, why in (("ada", 4.0, 2.5), ("bob", 5.0, None)):
            gradebook.update_or_create_submission(CHAPTER, name)
            size = gradebook.find_grade("check-size", CHAPTER, CHAPTER, name)
            size.auto_score, size.needs_manual_grade = auto, False
            if why:
                by_hand = gradebook.find_grade("why", CHAPTER, CHAPTER, name)
                by_hand.manual_score, by_hand.needs_manual_grade = why, False
        gradebook.update_or_create_submission(CHAPTER, "cleo")
        gradebook.db.commit()
    return root


def hand_in(root, learner):
    """A submission that nobody has graded."""
    folder = root / "grading" / "submitted" / learner / CHAPTER
    folder.mkdir(parents=True)
    nbformat.write(released(root), folder / f"{CHAPTER}.ipynb")


def test_the_table(graded):
    hand_in(graded, "dora")
    text = table(graded)
    assert text.splitlines() == [
        "           conv_",
        "         output_",
        "learner     size  why  total",
        "              97   97",
        "              /5   /4     /9",
        "────────────────────────────",
        "ada            4  2.5    6.5",
        "bob            5    ?      5",
        "cleo           ✘    ?      0",
        "dora           ✘    ✘      0",
        "",
        "? to be graded by hand, in formgrader",
        "✘ could not be graded: not a zero, but a case for you",
        "✘ dora, 97_small: not graded yet",
    ]


def test_a_score_by_hand_counts(graded):
    assert marks(graded)["ada"]["why"].score == 2.5


def test_a_failed_submission_is_no_zero(graded):
    """What an earlier run left in the gradebook is not shown as if it were today's."""
    hand_in(graded, "ada")
    text = table(graded)
    shutil.rmtree(graded / "grading" / "submitted" / "ada")
    assert "ada            ✘    ✘      0" in text


def test_a_course_without_gradebook_gets_a_sentence_and_no_gradebook(tmp_path, capsys):
    root = course(tmp_path)
    assert main(["gradebook", str(root)]) == 1
    assert "There is no gradebook at" in capsys.readouterr().err
    assert not (root / "grading" / "gradebook.db").exists()


def test_the_command_prints_it(graded, capsys):
    assert main(["gradebook", str(graded)]) == 0
    assert "ada            4  2.5    6.5" in capsys.readouterr().out


def test_gradebooks_in_wrong_places_are_noticed(tmp_path):
    for place in ("grading", "demo/grading", "solutions", "."):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "gradebook.db").touch()
    assert strays(tmp_path) == [tmp_path / "gradebook.db", tmp_path / "solutions" / "gradebook.db"]
