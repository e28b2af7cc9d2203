"""What crosses the wall arrives as it was, and nothing else is accepted."""

import json

import numpy as np
import pytest
import styles

from utils.checks import questions
from utils.checks.question import Outcome, Trouble, attempt
from utils.checks.verdict import TROUBLES
from utils.checks.wire import Unreadable, dump_cases, dump_outcomes, load_cases, load_outcomes


def equal(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("name", styles.RIGHT)
def test_cases_and_outcomes_arrive_as_they_were(name):
    question = questions.find(name)
    cases = question.cases(np.random.default_rng(3), wide=True)
    arrived = load_cases(dump_cases(cases))
    assert [(c.aspect, c.needs, c.watched) for c in arrived] == [(c.aspect, c.needs, c.watched) for c in cases]
    assert all(equal(a.given, b.given) for a, b in zip(cases, arrived, strict=True))
    outcomes = [attempt(question, styles.RIGHT[name][-1], case) for case in arrived]
    back = load_outcomes(dump_outcomes(outcomes), TROUBLES.keys())
    assert all(a.trouble == b.trouble and equal(a.arrays, b.arrays) for a, b in zip(outcomes, back, strict=True))


def test_trouble_arrives():
    outcome = Outcome(trouble=Trouble("error", "NameError: x", "NameError"))
    assert load_outcomes(dump_outcomes([outcome]), TROUBLES.keys()) == [outcome]


ARRAY = ["float64", [2], "AAAAAAAAAAAAAAAAAAAAAA=="]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing",
        "{}",
        "[" * 100_000,
        '[{"arrays": []}]',
        '[{"arrays": {"y": 3}}]',
        '[{"trouble": ["error", "x"]}]',
        '[{"trouble": ["bribe", "x", ""]}]',
        '[{"trouble": ["error", ["x"], ""]}]',
        '[{"arrays": {}, "trouble": ["error", "x", ""]}]',
        json.dumps([{"arrays": {"y": ["float64", [3], ARRAY[2]]}}]),
        json.dumps([{"arrays": {"y": ["float64", [-2], ARRAY[2]]}}]),
        json.dumps([{"arrays": {"y": ["float64", [2**40, 2**40], ARRAY[2]]}}]),
        json.dumps([{"arrays": {"y": ["float64", [True, 2], ARRAY[2]]}}]),
        json.dumps([{"arrays": {"y": ["object", [2], ARRAY[2]]}}]),
        json.dumps([{"arrays": {"y": ["float64", "2", ARRAY[2]]}}]),
        json.dumps([{"arrays": {"y": ["float64", [2], "no base64!"]}}]),
        json.dumps([{"arrays": {str(i): ARRAY for i in range(17)}}]),
        json.dumps([{"arrays": {"y": ["float64", [1] * 60, ARRAY[2]]}}]),
    ],
)
def test_anything_else_is_unreadable(text):
    with pytest.raises(Unreadable):
        load_outcomes(text, TROUBLES.keys())


def test_too_long_is_unreadable():
    with pytest.raises(Unreadable, match="bytes"):
        load_outcomes(b" " * 16_000_001, TROUBLES.keys())


def test_a_good_array_is_read():
    (outcome,) = load_outcomes(json.dumps([{"arrays": {"y": ARRAY}}]), TROUBLES.keys())
    assert np.array_equal(outcome.arrays["y"], np.zeros(2))
