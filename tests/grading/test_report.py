"""What goes out: status, misconceptions, grades for the learning platform, feedback pages."""

import csv
import io
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from classroom import CLASS, RIGHT, Here, hand_in, hand_in_all, tame
from courses import CHAPTER, course
from nbgrader.api import Gradebook

from grading import batch, feedback, report, verdict
from grading.course import gradebook_url
from grading.hidden import hidden_cases
from grading.intake.learners import COLUMNS
from grading.release import release

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning", "ignore::DeprecationWarning")

SEED = "a seed for tests of the report"
NASTY = 'O\'Neil, "Bobby"\nJr.; =HYPERLINK("http://x")'
BY_NAME = '=1+1|cmd"'


def confine(*arguments):
    heard = tame(*arguments)
    odd = any("# withhold this" in cell.source for cell in arguments[1].cells)
    return replace(heard, suspicions={"check-size": "torch's own <b>37</b>"} if odd else {})


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A graded class: good, bad, nothing begun, refused, withheld, to be graded by hand; and one not graded yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_COURSE_SEED", SEED)
        patch.setattr(verdict, "confine", confine)
        patch.setattr(batch, "pool", Here)
        patch.setattr(feedback, "pool", Here)
        root = course(tmp_path_factory.mktemp("course"))
        release(root)
        hand_in_all(root)
        hand_in(root, "eve", raw=b"<<<<<<< HEAD")
        hand_in(root, "finn", "# withhold this\n" + RIGHT)
        hand_in(root, "gina", RIGHT, essay="Because it must lie <i>inside</i>.")
        batch.autograde(root, CHAPTER, jobs=1, tell=lambda *_: None)
        hand_in(root, "zoe", RIGHT)
        people = [("ada", "canvas", "1001", NASTY, "ada@x.org"), ("bob", "moodle", "777", BY_NAME, "bob@x.org")]
        table = io.StringIO()
        writer = csv.DictWriter(table, COLUMNS, restval="")
        writer.writeheader()
        for learner, lms, number, name, email in people:
            who = {"learner": learner, "chapter": CHAPTER, "lms": lms, "number": number, "name": name, "email": email}
            who["late"] = "late" if learner == "bob" else ""
            writer.writerow(who)
        path = root / "grading" / "received" / "learners.csv"
        path.parent.mkdir()
        path.write_text(table.getvalue(), encoding="utf-8", newline="")
        yield root


def table(text):
    return list(csv.reader(io.StringIO(text, newline="")))


# ── status ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_is_late_is_marked(graded):
    marked = [
        line.split()[0] for line in report.status(graded, CHAPTER).splitlines() if "late, as the platform" in line
    ]
    assert marked == ["bob"]


def test_every_submission_has_its_line(graded):
    lines = report.status(graded, CHAPTER).splitlines()
    states = {line.split()[0]: re.split(r" {2,}", line)[1:] for line in lines[:-2]}
    assert list(states) == [*CLASS, "eve", "finn", "gina", "zoe"]
    states["bob"].remove("late, as the platform says")
    assert all(states[learner] == ["graded"] for learner in [*CLASS, "gina"])
    assert states["eve"][0] == "refused" and states["eve"][1]
    assert states["finn"] == ["needs a look", "conv_output_size: torch's own <b>37</b>"]
    assert states["zoe"] == ["not graded yet"]
    assert lines[-1] == f"{CHAPTER}: 8 submissions: 5 graded, 1 refused, 1 needs a look, 1 not graded yet."


def test_a_reason_of_several_lines_stays_on_one(graded):
    record = replace(report.of_class(graded, CHAPTER)["finn"], why="one\ntwo\r\n three")
    assert report.state(graded, record) == ("needs a look", "one two three")


# ── misconceptions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_misconceptions_are_counted(graded):
    counts = report.misconceptions(graded, CHAPTER)
    assert counts == {
        "conv_output_size": {"right": 3, "rounded up": 1, "another mistake": 1, "not begun": 1, "without a verdict": 1}
    }
    assert sum(counts["conv_output_size"].values()) == 7  # all but the one that is not graded yet


def test_misconceptions_as_csv(graded):
    rows = table(report.misconceptions_csv(report.misconceptions(graded, CHAPTER)))
    assert rows[0] == ["check", "what", "learners"] and ["conv_output_size", "right", "3"] in rows
    assert sum(int(count) for _, _, count in rows[1:]) == 7


class Balanced(HTMLParser):
    """Complains about tags that are not closed in their order."""

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, _):
        if tag not in ("meta", "br", "img", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_of_misconceptions_is_html_and_says_it_in_numbers_too(graded):
    counts = report.misconceptions(graded, CHAPTER)
    counts["conv_output_size"]["<script>alert(1)</script>"] = 2
    page = Balanced()
    text = report.misconceptions_page(counts, CHAPTER)
    page.feed(text)
    assert page.open == [] and "<script>" not in text
    words = " ".join(" ".join(page.words).split())
    assert "rounded up 1" in words and "right 3" in words and CHAPTER in words


def test_a_class_without_grades_has_a_page_too():
    assert "Nothing is graded yet" in report.misconceptions_page({}, CHAPTER)
    assert table(report.misconceptions_csv({})) == [["check", "what", "learners"]]


# ── grades ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_plain(graded):
    rows = table(report.export(graded, CHAPTER, "plain"))
    assert rows[0] == ["learner", "chapter", "score", "of", "status", "why"]
    found = {row[0]: row[2:] for row in rows[1:]}
    for learner, (_, points) in CLASS.items():
        assert found[learner] == [f"{points}", "9", "graded", ""]
    assert found["eve"][:3] == ["", "9", "refused"] and found["eve"][3]
    assert found["finn"] == ["", "9", "needs a look", "conv_output_size: torch's own <b>37</b>"]
    assert found["gina"] == ["", "9", "to be graded by hand", ""]
    assert found["zoe"] == ["", "9", "not graded yet", ""]


def test_canvas(graded):
    """What Canvas looks for: these headings, "Points Possible" in the second line, and one of ID, login and name."""
    rows = table(report.export(graded, CHAPTER, "canvas"))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", CHAPTER]
    assert rows[1] == ["Points Possible", "", "", "", "", "9"]
    found = {row[0]: row[1:] for row in rows[2:]}
    assert found[NASTY] == ["1001", "", "", "", "5"]
    assert found["cleo"] == ["", "", "cleo", "", "4"] and found["finn"][-1] == found["zoe"][-1] == ""
    assert len(rows) == 2 + 8 and all(len(row) == 6 for row in rows)


def test_moodle(graded):
    """What Moodle's grading worksheet has: the number from its ZIP, and a status that it does not read."""
    rows = table(report.export(graded, CHAPTER, "moodle"))
    assert rows[0] == ["Identifier", "Full name", "Email address", "Status", "Grade", "Last modified (grade)"]
    found = {row[0]: row[1:] for row in rows[1:]}
    assert found["Participant 777"] == ["'" + BY_NAME, "bob@x.org", "graded", "1", ""]
    assert found["finn"][2:4] == ["needs a look", ""]  # why: its words came out of the jail
    assert found["eve"][3] == found["gina"][3] == found["zoe"][3] == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd", "'=cmd"),
        ("+49 30", "'+49 30"),
        ("-1+1|cmd", "'-1+1|cmd"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("Ana", "Ana"),
        ("", ""),
    ],
)
def test_no_text_passes_for_a_formula(text, written):
    assert table(report.as_csv([(text, "x")])) == [[written, "x"]]


@pytest.mark.parametrize("text", [NASTY, "a,b", 'a"b', "a\nb", "a\r\nb", " a ", "ü, 卷"])
def test_csv_comes_back_as_it_was(text):
    assert table(report.as_csv([("x", text, 3)])) == [["x", text, "3"]]


def test_nothing_is_exported_from_a_gradebook_that_is_not_there(graded, tmp_path):
    shutil.copytree(graded, tmp_path / "course")
    (tmp_path / "course" / "grading" / "gradebook.db").unlink()
    with pytest.raises(FileNotFoundError, match=r"There is no gradebook at .* yet"):
        report.export(tmp_path / "course", CHAPTER, "plain")
    assert not (tmp_path / "course" / "grading" / "gradebook.db").exists()


def test_a_score_from_an_earlier_submission_is_not_exported(graded, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(graded, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_COURSE_SEED", SEED)
        assert {g.learner: g.score for g in report.grades(root, CHAPTER)}["ada"] == 5
        hand_in(root, "ada", "pass")
        assert {g.learner: g.score for g in report.grades(root, CHAPTER)}["ada"] is None


def test_one_whose_record_is_not_in_the_gradebook_is_not_exported(graded, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(graded, root)
    with Gradebook(gradebook_url(root)) as gradebook:
        gradebook.remove_submission(CHAPTER, "ada")
    assert {g.learner: g.score for g in report.grades(root, CHAPTER)}["ada"] is None


# ── feedback ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def pages(graded):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feedback, "pool", Here)
        written = feedback.feedback(graded, CHAPTER, jobs=1)
    return {path.parent.parent.name: path.read_text(encoding="utf-8") for path in written}


def words(page):
    body = re.sub(r"(?s)<(style|script).*?</\1>", " ", page)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_everybody_who_is_graded_gets_a_page(pages):
    assert pages.keys() == {*CLASS, "eve", "finn", "gina"}


def test_a_page_shows_ones_own_work_the_verdict_and_a_hint(pages):
    text = words(pages["cleo"])
    assert "conv_output_size" in text and "-(-(" in text.replace(" ", "").replace("−", "-")
    assert "rounded up" in text and "Hint:" in text
    assert "conv_output_size: right" in words(pages["ada"])


def test_no_page_shows_a_hidden_case_the_seed_or_a_suspicion(pages):
    for learner, page in pages.items():
        text = words(page)
        assert SEED not in page and "HIDDEN" not in page and "grading.hidden" not in text, learner
        assert "For example" not in text and "37" not in text.replace("737", ""), learner
    assert "Needs a look." in words(pages["finn"]) and "torch's own" not in pages["finn"]
    assert "An instructor decides about these 5 points." in words(pages["finn"])


def test_the_hidden_cases_are_not_in_the_pages_source(pages, graded):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNN_COURSE_SEED", SEED)
        cases = hidden_cases("conv_output_size", graded)
    shapes = {f"{case.given['n']}, {case.given['kernel_size']}" for case in cases if "n" in case.given}
    for page in pages.values():
        assert not any(f"({shape})" in words(page) for shape in shapes - {"7, 3"})  # the notebook's own try-out


def test_what_has_been_decided_is_not_said_to_be_open(graded, tmp_path):
    root = tmp_path / "course"
    shutil.copytree(graded, root)
    with Gradebook(gradebook_url(root)) as gradebook:
        mark = gradebook.find_grade("check-size", CHAPTER, CHAPTER, "finn")
        mark.manual_score, mark.needs_manual_grade = 5, False
        gradebook.db.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feedback, "pool", Here)
        (page,) = (path for path in feedback.feedback(root, CHAPTER, jobs=1) if "finn" in path.parts)
    text = words(page.read_text(encoding="utf-8"))
    assert "eeds a look" not in text and "Score: 5.0 / 5.0" in text


def test_who_was_refused_reads_why(pages):
    assert "This submission: refused." in words(pages["eve"]) and "merge" in words(pages["eve"])


def test_a_cell_that_was_not_run_shows_no_output(pages):
    text = words(pages["ada"])
    place = text.index("grading has no need of this cell")
    assert "RuntimeError" not in text[place + 40 : place + 200]
