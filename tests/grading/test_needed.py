"""Which cells grading runs: those the grade depends on, those a learner wrote, and no others."""

import pytest
from courses import cell
from nbformat.v4 import new_code_cell, new_markdown_cell

from grading.needed import names_in, needed


def run(*cells, released=()):
    """The ids of the cells that are run."""
    return [cell.id for cell, wanted in zip(cells, needed(list(cells), released), strict=True) if wanted]


def code(name, source, tags=(), **grading):
    return cell(new_code_cell, name, source, tags, **grading)


ANSWER = {"solution": True}
TEST = {"grade": True, "locked": True, "points": 1}


def test_the_setup_exercises_checks_and_kept_cells_are_run():
    cells = [
        code("setup", "import torch"),
        cell(new_markdown_cell, "text", "words"),
        code("draw", "plot()"),
        code("f", "def f(): return 1", **ANSWER),
        code("default", "torch.set_default_dtype(torch.float64)", ["keep"]),
        code("check-f", "check('f', f)", **TEST),
    ]
    assert run(*cells) == ["setup", "f", "default", "check-f"]


def test_what_an_exercise_reads_is_run_and_what_that_reads():
    cells = [
        code("two", "two = 2"),
        code("four", "four = two * two"),
        code("other", "five = 5"),
        code("f", "def f(x):\n    return x + four", **ANSWER),
        code("check-f", "check('f', f)", **TEST),
    ]
    assert run(*cells) == ["two", "four", "f", "check-f"]


def test_a_function_may_read_what_stands_after_it_but_a_cell_may_not():
    cells = [
        code("f", "def f(x):\n    return helper(x)\ny = f(z)", **ANSWER),
        code("helper", "def helper(x):\n    return x"),
        code("z", "z = 1"),
        code("check-f", "check('f', f)", **TEST),
    ]
    assert run(*cells) == ["f", "helper", "check-f"]


@pytest.mark.parametrize(
    "binding",
    [
        "import numpy as four",
        "from m import x as four",
        "for four in range(3): pass",
        "with open('x') as four: pass",
        "(one, (four, *rest)) = t",
        "if True:\n    four = 4",
        "print(four := 4)",
        "class four: pass",
        "four += 1",
        "def g():\n    global four\n    four = 4",
        "%time four = 4",
        "four = !ls",
        "try:\n    import four\nexcept ImportError:\n    four = None",
    ],
)
def test_every_way_to_bind_a_name_is_seen(binding):
    cells = [code("bind", binding), code("f", "def f():\n    return four", **ANSWER)]
    assert run(*cells) == ["bind", "f"]


@pytest.mark.parametrize(
    "reading",
    [
        "def f(a=four): return a",
        "@four\ndef f(): pass",
        "class F(four): pass",
        "class F:\n    x = four",
        "class F:\n    def g(self):\n        return [four for _ in range(3)]",
        "f = lambda: four",
        "f = [four for _ in range(3)]",
        'def f(): return f"{four}"',
        "def f():\n    def g():\n        return four\n    return g",
    ],
)
def test_every_way_to_read_a_name_is_seen(reading):
    assert run(code("bind", "four = 4"), code("f", reading, **ANSWER)) == ["bind", "f"]


@pytest.mark.parametrize(
    "own", ["def f(four): return four", "def f():\n    four = 1\n    return four", "f = [four for four in range(3)]"]
)
def test_a_name_of_its_own_is_not_looked_for_elsewhere(own):
    assert run(code("bind", "four = 4"), code("f", own, **ANSWER)) == ["f"]


def test_a_builtin_that_is_bound_is_seen():
    assert run(code("bind", "max = 3"), code("f", "print(max)", **ANSWER)) == ["bind", "f"]


def test_what_a_learner_added_or_changed_is_run():
    released = {"draw()", "x = 1"}
    cells = [
        code("draw", "draw()"),
        code("x", "x = 2"),
        code("new", "torch.set_default_dtype(torch.float64)"),
        code("f", "def f(): pass", **ANSWER),
    ]
    assert run(*cells, released=released) == ["x", "new", "f"]
    assert run(*cells) == ["f"]


def test_a_cell_that_is_no_python_is_run():
    assert names_in("def f(:") is None
    assert run(code("broken", "def f(:"), code("f", "1", **ANSWER)) == ["broken", "f"]
