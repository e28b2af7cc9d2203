"""What an honest notebook gets back."""

import numpy as np
import pytest
from jailbirds import INVERT, asked, right

from grading.jail import Asked, Limits, Ran, run
from grading.jail.listening import KILLED
from utils.checks import answers, questions
from utils.checks.question import Case, attempt
from utils.checks.verdict import alike, learner_cases


def test_cells_run_in_order_and_an_error_stops_only_its_own(jailed):
    last = "import sys\nprint(x, file=sys.stderr)"
    heard = jailed([("a", "x = 2\nprint('hello')\nx + 1"), ("b", "1 / 0"), ("c", last)])
    assert heard.status == "finished"
    assert heard.cells["a"] == Ran(stdout="hello\n", result="3")
    assert heard.cells["b"].error == "ZeroDivisionError: division by zero"
    assert "1 / 0" in heard.cells["b"].traceback and "\x1b" not in heard.cells["b"].traceback
    assert heard.cells["c"] == Ran(stderr="2\n")


def test_a_notebook_finds_what_it_finds_in_jupyter(jailed):
    cells = {
        "display": "display({'a': 1})",
        "shell": "get_ipython().__class__.__name__",
        "magic": "%pip install --quiet torch\nx = 5",
        "command": "!ls\nfiles = !ls\nx",
        "exit": "exit()",
        "syntax": "def",
        "last": "Out[2], _",
        "help": "help(len)",
        "file": "from pathlib import Path\nPath('mine.txt').write_text('x'), Path('mine.txt').read_text()",
        "temporary": "import tempfile\ntempfile.NamedTemporaryFile().name",
        "future": "await __import__('asyncio').sleep(0)",
    }
    heard = jailed(list(cells.items()))
    errors = {name: ran.error for name, ran in heard.cells.items() if ran.error}
    assert heard.status == "finished" and errors.keys() == {"syntax"} and errors["syntax"].startswith("SyntaxError")
    assert heard.cells["command"].result == "5"
    assert heard.cells["temporary"].result.startswith("'/learner/tmp/")


def test_the_course_is_there_without_its_answers(jailed):
    cells = [
        ("setup", "import utils\nutils.start('00', 'v0')\nfrom utils import data, explore, show\nimport torch"),
        ("import", "from utils.checks import check, yours_or_torch"),
        ("define", INVERT),
        ("own", "mine = yours_or_torch('practice', invert)\nmine is invert"),
        ("check", "check('practice', invert)"),
        ("figure", "import matplotlib.pyplot as plt\nshow.picture(plt.subplots()[0], 'Empty axes, both from 0 to 1.')"),
        ("backward", "w = torch.ones(3, requires_grad=True)\n(w * w).sum().backward()\nw.grad.tolist()"),
    ]
    # In chapter 03 and later a check differentiates too, after a cell that did.
    heard = jailed(cells, [asked()], limits=Limits())
    assert {name: ran.error for name, ran in heard.cells.items() if ran.error and name != "check"} == {}
    assert heard.cells["own"].result == "True" and heard.cells["backward"].result == "[2.0, 2.0, 2.0]"
    assert "ImportError" in heard.cells["check"].error
    assert right(heard.answers["check"])


@pytest.mark.parametrize("name", ["conv2d", "receptive_field"])
def test_answers_are_those_of_the_same_code_outside(jailed, name):
    """A thin layer around torch's, so that it is right: it earns a suspicion, and its arrays are taken nevertheless."""
    source = "import torch\nConv2D = torch.nn.Conv2d\nreceptive_field = lambda layers: 'no'"
    cases = list(learner_cases(name))
    target = {"conv2d": "Conv2D", "receptive_field": "receptive_field"}[name]
    heard = jailed([("a", source)], [Asked("graded", name, target, cases)], limits=Limits())
    outcomes = heard.answers["graded"]
    assert not isinstance(outcomes, str) and len(outcomes) == len(cases)
    if name == "conv2d":
        assert heard.suspicions == {"graded": "torch's own convolution"}
        expected = [attempt(questions.find(name), answers.find(name).reference, case, trusted=True) for case in cases]
        assert all(alike(a, b, 1e-9) for a, b in zip(outcomes, expected, strict=True))
    else:
        assert heard.suspicions == {} and {outcome.trouble.kind for outcome in outcomes} == {"not an int"}


def test_what_a_warm_interpreter_needs_later_is_there_before(warm):
    """Otherwise every submission pays for it again: counting multiply-adds alone imports torch's compiler."""
    count = "from utils.checks.questions.assignment import multiply_adds\nimport sys, torch\nbefore = set(sys.modules)"
    cells = [("count", f"{count}\nmultiply_adds(torch.nn.Flatten(), 1)\nsorted(set(sys.modules) - before)")]
    assert run(cells, warm=warm).cells["count"] == Ran(result="[]")


def test_an_exercise_not_begun_says_so(jailed):
    heard = jailed([("a", "def invert(image):\n    raise NotImplementedError")], [asked(), asked("missing", "other")])
    assert heard.answers["check"][0].trouble.kind == "not done"
    assert heard.answers["other"] == "missing is not there: NameError: name 'missing' is not defined"


def test_what_is_no_function_is_not_asked(jailed):
    assert "is a int, but invert(image)" in jailed([("a", "invert = 3")], [asked()]).answers["check"]


def test_checks_know_nothing_of_each_other(jailed):
    spoil = "def spoil(image):\n    global invert\n    invert = None\n    return image * 0"
    heard = jailed([("a", INVERT), ("b", spoil)], [asked("spoil", "first"), asked(grade_id="second")])
    assert not right(heard.answers["first"]) and right(heard.answers["second"])


def test_a_cell_that_takes_all_with_it_costs_nothing_but_itself(jailed):
    heard = jailed([("good", INVERT), ("bad", "import os\nos._exit(3)"), ("later", "invert")], [asked()])
    assert (heard.status, heard.fatal) == ("finished", "bad")
    assert right(heard.answers["check"])
    assert "In the cell bad the notebook ended its own process (exit code 3)." in heard.cells["bad"].error
    assert heard.why in heard.cells["bad"].error


def test_two_such_cells_are_too_many(jailed):
    heard = jailed([(name, "import os\nos._exit(3)") for name in "ab"], [asked()])
    assert heard.status == KILLED and heard.answers["check"].startswith("No answer came")


def test_time_for_all_cells(jailed):
    heard = jailed([(name, "import time\ntime.sleep(0.7)") for name in "abcd"], limits=Limits(cells=1, cell=0.9))
    assert heard.status == "finished"
    assert heard.cells["a"].error == "" and heard.cells["b"].error.startswith("interrupted")
    assert heard.cells["c"].error == heard.cells["d"].error == "not run: the time for all cells together is used up"


def test_time_for_a_cell_and_a_check(jailed):
    source = f"{INVERT}\ndef endless(image):\n    while True: pass"
    cells = [("a", source), ("b", "while True: pass"), ("c", "1")]
    heard = jailed(cells, [asked("endless", "first"), asked(grade_id="second")])
    assert heard.status == "finished" and heard.cells["c"].result == "1"
    assert heard.cells["b"].error == "interrupted: it took longer than 1.5 s"
    assert "took longer than 1.5 s" in heard.answers["first"] and right(heard.answers["second"])


def test_cpu_time(jailed):
    stubborn = "import signal, threading\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    heard = jailed([("a", stubborn)], limits=Limits(cpu=1, cell=30, cells=30))
    assert heard.cells["a"].error.startswith("In the cell a the notebook used up its CPU time.")


def test_names_must_be_clear():
    with pytest.raises(ValueError, match="same id"):
        run([("a", "1"), ("a", "2")], [])


def test_without_a_jail_it_works_and_shouts(capfd, monkeypatch):
    cells = [("a", INVERT), ("b", "import grading"), ("c", "import utils.checks.answers"), ("d", "while True: pass")]
    heard = run(cells, [asked()], Limits(cell=1), no_jail=True)
    assert "WARNING: no jail!" in capfd.readouterr().err
    assert right(heard.answers["check"]) and heard.status == "finished"
    assert all("ModuleNotFoundError" in heard.cells[name].error for name in "bc")
    assert heard.cells["d"].error.startswith("interrupted")
    stubborn = "import time\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass"
    monkeypatch.setattr("grading.jail.listening.GRACE", 1)
    heard = run([("a", stubborn)], limits=Limits(cell=1, cells=1), no_jail=True)
    assert heard.cells["a"].error.startswith("The cell a took too long")


def test_long_questions_do_not_wait_for_looks_at_the_memory(jailed, monkeypatch):
    """A pipe takes 64 KiB at a time: with a wait for each, an assignment's pictures took as long as the answers."""
    monkeypatch.setattr("grading.jail.listening.LOOK", 10)
    case = Case("values", {"image": np.ones((1000, 1000))})
    heard = jailed([("a", "1")], [Asked("check", "practice", "lambda image: image[:1, :2]", [case])])
    assert heard.status == "finished" and heard.answers["check"][0].arrays["y"].tolist() == [[1, 1]], heard
