"""The course's links in nbgrader's chains, one by one."""

from courses import CHECK, cell
from nbformat.v4 import new_code_cell, new_notebook, new_output

from grading.preprocessors import HideHidden

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


def test_feedback_hides_the_hidden_tests_and_what_quotes_them():
    shown = after(HideHidden, graded(ERROR))
    assert shown.source == 'check("conv_output_size", conv_output_size)'
    assert shown.outputs[0].traceback == ["NameError: name 'f' is not defined"]


def test_feedback_keeps_the_tracebacks_of_the_learners_own_cells():
    plain = new_code_cell("f", outputs=[ERROR])
    assert after(HideHidden, plain).outputs[0].traceback == ERROR.traceback
