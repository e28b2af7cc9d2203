"""The graded check: other cases than the learner's, points by aspect, nothing shown, and nothing lost to a warning."""

import os
import stat
import sys
import warnings

import numpy as np
import pytest

from grading import hidden
from utils.checks import CheckFailed, answers, questions
from utils.checks.verdict import learner_cases

GRADED = [name for name in questions.MODULES if questions.find(name).points]


@pytest.fixture(autouse=True)
def seed(monkeypatch):
    monkeypatch.setenv("CNN_COURSE_SEED", "a seed for tests")


def half_right(n, kernel_size, stride=1, padding=0, dilation=1):
    if dilation * (kernel_size - 1) >= n + 2 * padding:
        raise ValueError
    return -(-(n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1  # rounded up


@pytest.mark.parametrize("name", GRADED)
def test_the_reference_gets_all_points(name):
    """torch's own is what is forbidden, so only checks that forbid nothing can be asked with it."""
    question = questions.find(name)
    if question.from_scratch:
        report = hidden.check(name, answers.find(name).reference)
        assert float(report) == 0 and "ready-made" in report.text
    else:
        assert float(hidden.check(name, answers.find(name).reference)) == question.points


@pytest.mark.parametrize("name", GRADED)
def test_an_exercise_not_begun_is_worth_nothing(name):
    def stub(*args, **kwargs):
        raise NotImplementedError

    report = hidden.check(name, stub)
    assert float(report) == 0 and "not done yet" in report.text


def test_partial_credit_without_an_error():
    report = hidden.check("conv_output_size", half_right)
    assert float(report) == 4 and report.verdict.passed["stride"] is False
    assert "rounded up" in report.text


def test_no_case_is_shown():
    report = hidden.check("conv_output_size", half_right)
    assert "For example" not in report.text + report.html


def test_the_cases_are_not_the_learners_and_depend_on_the_seed_alone(monkeypatch):
    def numbers(cases):
        return [[np.asarray(value).tolist() for value in case.given.values()] for case in cases]

    for name in GRADED:
        mine, theirs = numbers(hidden.hidden_cases(name)), numbers(learner_cases(name))
        assert mine == numbers(hidden.hidden_cases(name))
        assert len(mine) > len(theirs) and any(case not in theirs for case in mine)
        monkeypatch.setenv("CNN_COURSE_SEED", "another seed")
        assert mine != numbers(hidden.hidden_cases(name))
        monkeypatch.setenv("CNN_COURSE_SEED", "a seed for tests")


def test_warnings_and_stderr_cost_nothing(capfd):
    def noisy(*numbers, **settings):
        warnings.warn("careful", stacklevel=1)
        print("here", file=sys.stderr)
        return answers.find("conv_output_size").reference(*numbers, **settings)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert float(hidden.check("conv_output_size", noisy)) == 5
    assert capfd.readouterr().err == ""


def test_something_that_cannot_be_called_is_told_so():
    with pytest.raises(CheckFailed, match="3 was handed in, but conv_output_size"):
        hidden.check("conv_output_size", 3)


def test_it_is_called_as_the_learners_check_is():
    assert float(hidden.check("conv_output_size", half_right, hint=2)) == 4


def test_the_seed_is_made_once_and_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("CNN_COURSE_SEED")
    path = tmp_path / "grading" / "secret_seed"
    path.parent.mkdir()
    first = hidden.secret_seed(tmp_path)
    assert len(first) >= 32 and hidden.secret_seed(tmp_path) == first == path.read_text().strip()
    assert [found.name for found in path.parent.iterdir()] == ["secret_seed"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("\n")
    with pytest.raises(ValueError, match="is empty"):
        hidden.secret_seed(tmp_path)


def test_git_ignores_the_seed():
    from grading.course import ROOT

    assert "/grading/secret_seed" in (ROOT / ".gitignore").read_text().splitlines()
