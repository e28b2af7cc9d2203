"""Nobody gains a point that was not earned, nobody is lost, and nobody is harmed by whoever sits beside.

The class also hands in ZIPs that bomb, lead elsewhere or bring odd names. All that looks at the graded class stands in
this one file: under pytest-xdist each file with such tests would have it graded once more.
"""

import csv
import io
import re

import numpy as np
import pytest
from archives import INSIDE
from attacks import ATTACKS, ODD_NAMES, UNKNOWN_TO_NBGRADER, Attack
from course import CHAPTER, CHECKS, HONEST, SEED, autograded, folder_of

from grading import report
from grading.hidden import hidden_cases
from grading.records import FAILED, GRADED, LOOK, REFUSED, TIMED_OUT, one_line

FOR_THE_INSTRUCTOR = {"tells-none", "tells-array"}
EVERYBODY = {**ATTACKS, **dict.fromkeys(ODD_NAMES, Attack()), **dict.fromkeys(HONEST, None)}


def test_there_are_enough_of_them():
    assert len(ATTACKS) + len(ODD_NAMES) >= 50


@pytest.mark.parametrize("learner", HONEST)
def test_the_honest_get_exactly_their_score(class_, learner):
    record, row = class_.records[learner], class_.marks[learner]
    assert {name: row[name].score for name in CHECKS} == HONEST[learner][2]
    assert record.status == GRADED and not record.why and not any(row[name].look for name in CHECKS)
    assert row["why"].by_hand


@pytest.mark.parametrize("learner", [name for name in (*ATTACKS, *ODD_NAMES) if name not in UNKNOWN_TO_NBGRADER])
def test_nobody_gains(class_, learner):
    attack, record, row = EVERYBODY[learner], class_.records[learner], class_.marks[learner]
    looks = {name for name in CHECKS if record.items[name].look}
    assert {name: record.items[name].given for name in CHECKS} == attack.points, record
    assert {name: row[name].score for name in CHECKS} == attack.points
    assert {name for name in CHECKS if row[name].look} == looks >= set(attack.looks), record
    if not isinstance(attack.status, tuple):
        assert looks == set(attack.looks), record
    assert record.status in ((attack.status,) if isinstance(attack.status, str) else attack.status), record
    assert (record.status == GRADED) or record.why


@pytest.mark.parametrize("learner", EVERYBODY)
def test_nobody_is_lost(class_, learner):
    """In the batch, in its progress, in the status, in the gradebook and its table, in the exports, with a page."""
    record, shown = class_.records[learner], re.escape(one_line(learner))
    assert learner in {name for _, _, name in class_.told}
    assert re.search(rf"^{shown}  ", class_.table, re.M)
    if learner in UNKNOWN_TO_NBGRADER:
        assert record.status == FAILED and "nbgrader could not enter the grade" in record.why
        assert re.search(rf"^{shown} +not graded yet", class_.status, re.M)
    else:
        assert record.status in (GRADED, LOOK, REFUSED, TIMED_OUT)
        assert re.search(rf"^{shown} +{record.status}", class_.status, re.M)
        assert learner in class_.marks and class_.pages[learner].is_file()


def test_nobody_is_there_twice(class_):
    everybody = [*EVERYBODY, *(arrival.learner for arrival in class_.arrivals)]
    assert sorted(class_.records) == sorted(everybody) and len(class_.told) == len(everybody) == len(set(everybody))
    lines = [line for line in class_.status.splitlines() if line]
    assert len(lines) == len(everybody) + 1 and lines[-1].startswith(f"{CHAPTER}: {len(everybody)} submissions: ")


def test_nothing_else_changes(class_):
    assert class_.after == class_.before


def test_no_process_survives(class_):
    assert class_.left == []


def test_what_was_handed_in_is_kept(class_):
    kept = class_.root / "grading" / "originals" / CHAPTER
    for learner in EVERYBODY:
        assert [path.name for path in (kept / learner).iterdir() if path.name.isdigit()] == ["001"]
    assert (kept / "merge-markers" / "001" / f"{CHAPTER}.ipynb").read_bytes().startswith(b"<<<<<<< HEAD")
    assert (kept / "link" / "001" / f"{CHAPTER}.ipynb").is_symlink()
    assert (kept / "large" / "001" / f"{CHAPTER}.ipynb").stat().st_size > 100_000_000


@pytest.fixture(scope="module")
def secrets(class_):
    """The seed, and the numbers of the hidden cases as they may be written."""
    cases = hidden_cases("cross_correlate2d", class_.root)
    numbers = {float(v) for case in cases for name in ("image", "kernel") for v in np.ravel(case.given[name]) if v % 1}
    assert len(numbers) > 200
    return {re.sub(r"^-?0\.", "", repr(abs(v)))[:8] for v in numbers}


def test_neither_seed_nor_hidden_cases_come_out(class_, secrets):
    """Not on a page, and nowhere else but where an instructor reads what was said in place of an answer."""
    folder = class_.root / "grading"
    inside = (path for pattern in ("autograded", "verdicts", "submitted") for path in folder.glob(f"{pattern}/**/*"))
    inside = [path for path in inside if path.is_file() and not FOR_THE_INSTRUCTOR & {*path.parts, path.stem}]
    texts = {path: path.read_text(encoding="utf-8") for path in [*class_.pages.values(), *inside]}
    texts |= {name: report.export(class_.root, CHAPTER, name) for name in ("canvas", "moodle")}
    texts |= {"table": class_.table.partition("\n!")[0]}
    for path, text in texts.items():
        assert SEED not in text and not {number[:8] for number in re.findall(r"\d{8,}", text)} & secrets, path
    for learner in ("tells-none", "tells-suspicion", "tells-error", "tells-trouble", "tells-array"):
        said = re.sub("<[^>]+>", "", class_.pages[learner].read_text(encoding="utf-8"))
        assert said.count("SECRET") == 1  # in the learner's own code


def test_what_spies_saw(class_):
    """Whatever came within reach: nothing of this machine, of the course, or of anybody else."""
    for learner in ("spy", "vandal", "network", "writes-gradebook", "opens-solutions"):
        ran = class_.records[learner].outputs
        seen = "".join(cell["stdout"] + cell["stderr"] + cell["error"] for cell in ran.values())
        assert not re.search(r"written|GOT(?! /etc/passwd learner:x)", seen), seen
        assert str(class_.root) not in seen


def test_the_export_is_honest(class_):
    """No zero for what no one decided."""
    grades = {grade.learner: grade for grade in report.grades(class_.root, CHAPTER)}
    assert grades.keys() == class_.records.keys()
    waiting = {name for name, grade in grades.items() if grade.score is None}
    assert {name for name, record in class_.records.items() if record.status == REFUSED} <= waiting
    assert all(grades[name].score is None for name in UNKNOWN_TO_NBGRADER)


def test_the_graded_notebook_is_the_released_one(class_):
    """Whatever was made of cells, marks and outputs: the checks stand there as released, with our verdict."""
    for learner in ("greedy", "forged-output", "edited-checks", "duplicates", "displays"):
        cells = {cell.get("id"): cell for cell in autograded(class_.root, learner).cells}
        for name, points in ATTACKS[learner].points.items():
            assert cells[name].source.startswith('check("') or "HIDDEN" in cells[name].source
            assert float(cells[name].outputs[0].data["text/plain"]) == points
        assert sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells.values()) == 13


def test_the_seed_is_not_on_any_page(class_):
    assert class_.pages
    assert not [page for page in class_.pages.values() if SEED in page.read_text(encoding="utf-8")]


# --- what came in the platform's ZIP ----------------------------------------------------------------------------------


def test_everybody_is_there_with_a_status(class_):
    assert len(class_.arrivals) == INSIDE
    for arrival in class_.arrivals:
        status = class_.records[arrival.learner].status
        assert re.search(rf"^{re.escape(arrival.learner)} +{status}", class_.status, re.M)
        assert re.search(rf"^{re.escape(arrival.learner)} ", class_.table, re.M)


def test_ids_are_plain(class_):
    ids = [arrival.learner for arrival in class_.arrivals]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", learner) for learner in ids) and len(set(ids)) == len(ids)


def test_the_honest_one_gets_her_score_and_no_other_any(class_):
    scores = {
        arrival.learner: [class_.marks[arrival.learner][check].score for check in ("check-size", "check-correlate")]
        for arrival in class_.arrivals
    }
    assert scores.pop("ada-honest") == [5, 4]
    assert all(points == [0, 0] for points in scores.values())


def test_what_does_harm_is_refused_and_says_why(class_):
    records = [class_.records[arrival.learner] for arrival in class_.arrivals]
    refused = {record.learner: record.why for record in records if record.status == REFUSED}
    assert refused.keys() == {"bomb", "climber", "absolute", "linker", "nested"}
    assert "inflates from" in refused["bomb"] and "link" in refused["linker"]


def test_no_file_leads_anywhere(class_):
    theirs = {arrival.learner for arrival in class_.arrivals}
    files = [path for path in class_.root.rglob("*") if theirs & set(path.parts)]
    assert not [path for path in files if path.is_symlink()]
    climbed = [path for path in class_.root.parent.rglob("*") if path.name in ("climbed.ipynb", "out.ipynb", "x")]
    assert all({"climber", "nested", "absolute"} & set(path.parts) for path in climbed if path.parent.name != "canary")
    assert sum(path.stat().st_size for path in files if path.is_file()) < 60_000_000


def test_a_timestamp_that_is_none_does_not_count(class_):
    assert class_.records["punctual"].status == GRADED
    assert not (folder_of(class_.root, "punctual") / "timestamp.txt").exists()


@pytest.mark.parametrize("platform", report.PLATFORMS)
def test_names_are_quoted_and_no_formula(class_, platform):
    rows = list(csv.reader(io.StringIO(report.export(class_.root, CHAPTER, platform))))
    assert len({len(row) for row in rows}) == 1
    assert not [field for row in rows for field in row if re.match(r"[=+@\t\r-](?!\d+$)", field)]
    heads = 2 if platform == "canvas" else 1  # Canvas has a row of the points possible
    assert len(rows) == len(class_.records) + heads
    names = {field.lstrip("'") for row in rows for field in row}
    assert platform == "plain" or {"-2+3+cmd|'calc'!A0", '=HYPERLINK("http:x")', "@SUM(A1)"} <= names
