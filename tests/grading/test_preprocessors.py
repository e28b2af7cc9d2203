"""The course's links in nbgrader's chains, one by one."""

import pytest
from courses import CHECK, cell
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from grading.preprocessors import HideHidden, Verdicts

POINTS = new_output("execute_result", {"text/plain": "3.0"})
WARNING = new_output("stream", name="stderr", text="a warning")
TALK = new_output("stream", name="stdout", text="talk")
ERROR = new_output(
    "error",
    ename="NameError",
    evalue="name 'f' is not defined",
    traceback=["1 ### BEGIN HIDDEN TESTS", "2 from grading.hidden import check"],
)


def graded(*outputs, kind=new_code_cell, **grading):
    new = cell(kind, "check-f", CHECK, grade=True, locked=True, points=5, **grading)
    if kind is new_code_cell:
        new.outputs = list(outputs)
    return new


def after(link, found):
    nb, _ = link().preprocess(new_notebook(cells=[found]), {})
    return nb.cells[0]


@pytest.mark.parametrize(
    ("outputs", "left"),
    [
        ([POINTS], ["execute_result"]),
        ([WARNING, POINTS], ["execute_result"]),
        ([TALK, WARNING, POINTS], ["stream", "execute_result"]),
        ([WARNING, ERROR], ["error"]),
        ([], ["error"]),
        ([TALK, WARNING], ["stream", "error"]),
    ],
)
def test_a_warning_costs_nothing_and_silence_earns_nothing(outputs, left):
    assert [output.output_type for output in after(Verdicts, graded(*outputs)).outputs] == left


def test_a_check_without_a_verdict_says_so():
    assert "without a verdict" in after(Verdicts, graded(TALK)).outputs[-1].evalue


def test_other_cells_keep_their_outputs():
    plain = new_code_cell("1", outputs=[WARNING])
    assert after(Verdicts, plain).outputs == [WARNING]
    by_hand = graded(kind=new_markdown_cell, solution=True)
    assert after(Verdicts, by_hand) == by_hand


def test_feedback_hides_the_hidden_tests_and_what_quotes_them():
    shown = after(HideHidden, graded(ERROR))
    assert shown.source == 'check("conv_output_size", conv_output_size)'
    assert shown.outputs[0].traceback == ["NameError: name 'f' is not defined"]


def test_feedback_keeps_the_tracebacks_of_the_learners_own_cells():
    plain = new_code_cell("f", outputs=[ERROR])
    assert after(HideHidden, plain).outputs[0].traceback == ERROR.traceback
