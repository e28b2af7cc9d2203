"""The instructor's work end to end: the sample class scores exactly what was assigned to it by hand."""

import re

import pytest

from grading.course import ROOT, chapters
from grading.demo import demo
from grading.gradebook import BY_HAND, exercises, marks
from grading.sample_class import filled_in, learners
from grading.verdict import GRADED

CLASS = {learner.name: learner for learner in learners()}
WHOLE = [(name, chapter) for name, learner in CLASS.items() for chapter in learner.chapters if not learner.cut_off]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The demo's folder, the submissions it returned, and what it printed."""
    root = tmp_path_factory.mktemp("demo") / "course"
    lines = []
    done = demo(root, jobs=2, say=lines.append)
    return root, done, "\n".join(lines)


def test_the_class_has_all_sorts_of_learners():
    assert len(CLASS) >= 10
    assert {sum(learner.scores.values()) for learner in CLASS.values()} >= {0, 35, 42}
    assert any(learner.cut_off for learner in CLASS.values())


@pytest.mark.parametrize(("name", "chapter"), WHOLE)
def test_a_learner_scores_what_was_assigned_by_hand(shown, name, chapter):
    root, _, _ = shown
    learner, row = CLASS[name], marks(root)[name]
    asked = {e.name: e for e in exercises(root) if e.chapter == chapter}
    by_hand = {e.name for e in asked.values() if e.name == e.grade_id}
    got = {name: row[e.grade_id].score for name, e in asked.items() if name not in by_hand}
    assert got == {name: learner.scores.get(name, 0) for name in got}
    for name in by_hand:
        mark = row[asked[name].grade_id]
        assert mark.by_hand if name in learner.answers else mark.score == 0


def test_every_score_that_was_assigned_belongs_to_an_exercise(shown):
    root, _, _ = shown
    points = {e.name: e.points for e in exercises(root)}
    for learner in CLASS.values():
        assert learner.scores.keys() <= points.keys()
        assert all(score <= points[name] for name, score in learner.scores.items())


def test_every_answer_is_put_to_use(shown):
    root, _, _ = shown
    import nbformat

    known = set()
    for chapter in chapters(root / "notebooks"):
        nb = nbformat.read(root / "notebooks" / chapter / f"{chapter}.ipynb", as_version=4)
        before = {cell.id: cell.source for cell in nb.cells}
        after = filled_in(nb, dict.fromkeys(before, "new"))
        known |= {cell.id for cell in after.cells if cell.source != before[cell.id]}
    for learner in CLASS.values():
        assert learner.answers.keys() <= known, learner.name


def test_one_broken_submission_stops_no_other_and_is_seen(shown):
    _, done, text = shown
    troubled = {(record.learner, record.chapter): record.why for record in done if record.status != GRADED}
    cut_off = {(name, chapter) for name, learner in CLASS.items() for chapter in learner.chapters if learner.cut_off}
    assert troubled.keys() == cut_off != set()
    for (name, chapter), trouble in troubled.items():
        assert "breaks off" in trouble and f"✘ {name}, {chapter}: refused: {trouble}" in text
        assert re.search(rf"^{name} .*✘ .* 0$", text, re.M)
    assert len(done) == len(troubled) + len(WHOLE)


def test_the_table_has_every_learner_and_total(shown):
    _, _, text = shown
    for name, learner in CLASS.items():
        row = re.search(rf"^{name} +[\d·✘].* ([\d.]+)$", text, re.M)
        assert row and float(row[1]) == sum(learner.scores.values()), name
    assert f"{BY_HAND} to be graded by hand, in formgrader" in text


def test_everybody_gets_feedback_without_the_hidden_tests(shown):
    root, _, text = shown
    pages = {page.parts[-3]: page for page in sorted((root / "grading" / "feedback").rglob("*.html"))}
    assert pages.keys() == CLASS.keys()
    assert "breaks off" in pages["nuru"].read_text(encoding="utf-8")
    for page in (root / "grading" / "feedback").rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert "HIDDEN" not in html and "grading.hidden" not in re.sub(r"<[^>]+>", "", html), page
    assert str(pages["amara"].parents[1]) in text or "feedback pages, for example" in text
    assert "H and W are swapped" in pages["grace"].read_text(encoding="utf-8")
    assert "For example, with" not in pages["farid"].read_text(encoding="utf-8")


def test_the_real_gradebook_and_the_learners_notebooks_are_not_touched(shown):
    root, _, _ = shown
    assert (root / "grading" / "gradebook.db").is_file() and root.parent != ROOT
    assert (root / "grading" / "secret_seed").read_text() == "the seed of the demo\n"


def test_a_second_demo_makes_its_folder_anew(shown, monkeypatch):
    """Only the laying out: what comes after it is what the first one did."""
    from grading.demo import lay_out
    from grading.release import release

    root, _, _ = shown
    (root / "grading" / "submitted" / "somebody").mkdir()
    other = root.parent / "again"
    root.rename(other)
    try:
        lay_out(root)
        assert release(root) and not (root / "grading" / "submitted").exists()
        lay_out(root)
        assert not (root / "notebooks").exists()
    finally:
        import shutil

        shutil.rmtree(root)
        other.rename(root)


def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="no folder of an earlier demo"):
        demo(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
