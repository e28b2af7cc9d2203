"""An answer judged as in grading: with other cases than the learner's, and more of them where a question has more."""

import numpy as np

from utils.checks import answers, questions
from utils.checks.question import attempt
from utils.checks.verdict import judge


def graded(name, target, seed=3):
    """Assert that a right answer passes."""
    question = questions.find(name)
    cases = question.cases(np.random.default_rng(seed), wide=True)
    verdict = judge(question, answers.find(name), cases, [attempt(question, target, case) for case in cases])
    assert verdict.right, [failure.sentence for failure in verdict.failures]


def widened(name, seed=3):
    """How many more cases grading has."""
    both = (len(questions.find(name).cases(np.random.default_rng(seed), wide=wide)) for wide in (True, False))
    return next(both) - next(both)
