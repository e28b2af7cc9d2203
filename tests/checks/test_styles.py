"""No right answer is refused, whatever its style; neither in the learner's check nor with the cases used in grading."""

import numpy as np
import pytest
import styles
from graded import graded

from utils.checks import judged, questions

RIGHT = [(name, target) for name, targets in styles.RIGHT.items() for target in targets]
NAMES = [f"{name}-{target.__name__}" for name, target in RIGHT]


@pytest.mark.parametrize(("name", "target"), RIGHT, ids=NAMES)
def test_right_answer_passes(name, target):
    report = judged(name, target)
    assert report.verdict.right, report.text
    assert float(report) == questions.find(name).points


@pytest.mark.parametrize(("name", "target"), RIGHT, ids=NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_right_answer_passes_with_wider_cases(name, target, seed):
    graded(name, target, seed)


def test_wider_cases_do_not_repeat_the_learners():
    for name in styles.RIGHT:
        question = questions.find(name)
        one, two = (question.cases(np.random.default_rng(seed), wide=True) for seed in (1, 2))
        if any(isinstance(value, np.ndarray) for case in one for value in case.given.values()):
            assert not all(same(a, b) for a, b in zip(one, two, strict=False)), f"{name}: another seed, the same cases"


def same(a, b):
    return all(np.array_equal(a.given[key], b.given.get(key)) for key in a.given)
