"""Chapter 10: one number for how a network takes corruptions, beside another one."""

import numpy as np
import torch

from utils.checks.question import Case, Question, untouched
from utils.checks.questions.training import as_number


def error_cases(rng, wide):
    """Errors that differ between corruptions more than between severities, and a reference of a different pattern."""
    cases = [
        Case("value", {"errors": np.array([[0.1, 0.3], [0.2, 0.2]]), "reference": np.array([[0.2, 0.2], [0.1, 0.7]])})
    ]
    for kinds, severities in [(3, 5), (6, 4), *([(6, 5)] * 2 if wide else [])]:
        rising = np.linspace(0.3, 1, severities)
        errors = (rng.uniform(0.1, 0.9, (kinds, 1)) * rising + rng.uniform(0, 0.1, (kinds, severities))).round(3)
        reference = (rng.uniform(0.2, 0.9, (kinds, 1)) * rising[::-1] + 0.05).round(3)
        cases.append(Case("value", {"errors": errors, "reference": reference}))
    return cases


def run_errors(target, given):
    errors, reference = torch.tensor(given["errors"]), torch.tensor(given["reference"])
    with untouched(errors=errors, reference=reference):
        result = target(errors, reference)
    return {"mean corruption error": as_number(result, "the result")}


QUESTIONS = {
    "mean_corruption_error": Question(
        name="mean_corruption_error",
        aspects={"value": 0},
        tests={"value": "several numbers of corruptions and of severities"},
        cases=error_cases,
        run=run_errors,
        signature="mean_corruption_error(errors, reference), which takes two tables (corruptions, severities) of error "
        "rates and returns one number",
    ),
}
