"""What a release refuses: each fault is planted in a chapter that has none, and must be named."""

import nbformat
import pytest
from courses import CHAPTER, chapter

from grading.course import ROOT, chapters
from grading.faults import faults


def test_nothing_is_wrong_with_the_small_chapter():
    assert faults(chapter(), CHAPTER) == []


@pytest.mark.parametrize("name", chapters(ROOT / "solutions"))
def test_nothing_is_wrong_with_the_real_ones(name):
    nb = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)
    assert faults(nb, name) == []


def find(nb, name):
    return next(cell for cell in nb.cells if cell.id == name)


def replace(name, old, new):
    def plant(nb):
        assert old in find(nb, name).source
        find(nb, name).source = find(nb, name).source.replace(old, new)

    return plant


def metadata(name, **changes):
    return lambda nb: find(nb, name).metadata.nbgrader.update(changes)


def store_output(nb):
    find(nb, "one").outputs = [nbformat.v4.new_output("stream", text="1")]


FAULTS = {
    "a misspelt marker": (
        replace("size", "### BEGIN SOLUTION", "### BEGIN SOLUTON"),
        "closes a region that is not open",
    ),
    "a marker without hashes": (replace("size", "### BEGIN SOLUTION", "# begin solution"), "looks like a marker"),
    "a marker in one word": (replace("size", "### BEGIN SOLUTION", "###BEGINSOLUTION"), "closes a region"),
    "a marker with more in its line": (
        replace("size", "### BEGIN SOLUTION", "### BEGIN SOLUTION here"),
        "like a marker",
    ),
    "an open region": (replace("size", "### END SOLUTION", ""), "is never closed"),
    "a region in a region": (
        replace("size", "### END SOLUTION", "### BEGIN SOLUTION\n    ### END SOLUTION"),
        "which is not closed",
    ),
    "regions crossed": (replace("check-size", "### END HIDDEN TESTS", "### END SOLUTION"), "closes a region"),
    "a solution anywhere": (
        replace("one", "ones = 1", "### BEGIN SOLUTION\nones = 1\n### END SOLUTION"),
        "not know as one",
    ),
    "hidden tests anywhere": (
        replace("one", "ones = 1", "### BEGIN HIDDEN TESTS\nones = 1\n### END HIDDEN TESTS"),
        "no graded check",
    ),
    "points": (metadata("check-size", points=4), "worth 4 points, but the question 'conv_output_size' gives 5"),
    "no tag": (lambda nb: find(nb, "size").metadata.pop("tags"), 'without the tag "raises-exception"'),
    "no markers": (
        lambda nb: setattr(find(nb, "size"), "source", "def f():\n    return 1"),
        "nbgrader would empty the whole cell",
    ),
    "no hidden tests": (replace("check-size", "from grading.hidden import check", "pass"), "as its hidden tests"),
    "an unknown check": (replace("check-size", '"conv_output_size"', '"conv_size"'), "no check called 'conv_size'"),
    "a check and more": (replace("check-size", "_size)", "_size)\nprint(1)"), "end in its one and only check"),
    "an id twice": (lambda nb: setattr(find(nb, "one"), "id", "setup"), "the id 'setup' occurs more than once"),
    "a grade_id twice": (metadata("why", grade_id="size"), "the grade_id 'size' occurs more than once"),
    "another grade_id": (metadata("why", grade_id="because"), "it must be the cell's id"),
    "no id": (lambda nb: find(nb, "one").pop("id"), "it has no id"),
    "outputs": (store_output, "outputs are stored"),
    "a count": (lambda nb: find(nb, "one").update(execution_count=3), "outputs are stored"),
    "a long cell": (replace("one", "ones = 1", "ones = 1\n" * 21), "21 lines of code; 20 are allowed"),
    "no Python": (replace("one", "ones = 1", "ones = = 1"), "this is not Python"),
    "an unknown placeholder": (replace("task", "Exercise", "@VERSION@"), "nothing is known to fill in for @VERSION@"),
    "a badge astray": (
        replace("title", f"@COLAB@/{CHAPTER}", "@COLAB@/01_convolution"),
        "a badge leads to 01_convolution/",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault):
    plant, sentence = FAULTS[fault]
    nb = chapter()
    plant(nb)
    found = faults(nb, CHAPTER)
    assert any(sentence in fault for fault in found), found


def test_empty_lines_and_markers_do_not_make_a_cell_long():
    nb = chapter()
    replace("size", "    covered", "\n\n" + "    n = n\n" * 13 + "    covered")(nb)
    assert faults(nb, CHAPTER) == []
