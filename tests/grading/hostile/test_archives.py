"""ZIPs that bomb, lead elsewhere or bring odd names: through `unpack` and the batch, beside an honest learner."""

import csv
import io
import re

import pytest
from archives import INSIDE
from course import CHAPTER, folder_of

from grading import report
from grading.records import GRADED, REFUSED


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
