"""Chapter 10, the mean corruption error: NumPy's weighted average, and how learners go wrong."""

import numpy as np
import torch

from utils.checks.answer import Answer, Mistake


def ratios(errors, reference, axis=1):
    """Errors as multiples of the reference's, averaged along an axis; where the reference errs much weighs more."""
    return torch.from_numpy(np.average((errors / reference).numpy(), axis=axis, weights=reference.numpy()))


def relative(errors, reference):
    return ratios(errors, reference).mean()


MISTAKES = (
    Mistake(
        name="ratio of each cell",
        says="you divide severity by severity and average the ratios: a severity at which the reference hardly errs "
        "then "
        "counts most. Errors are summed over the severities first.",
        hint="which comes first, the sum over the severities or the division?",
        stronger="sum both tables over their second axis, then divide.",
        target=lambda errors, reference: (errors / reference).mean(),
    ),
    Mistake(
        name="ratio of the totals",
        says="you divide once, all errors by all errors: corruptions that are hard for everybody then drown the "
        "others.",
        hint="how many ratios are averaged at the end?",
        stronger="one ratio for each corruption, and their mean.",
        target=lambda errors, reference: ratios(errors, reference, axis=None),
    ),
    Mistake(
        name="summed over the corruptions",
        says="you sum over the corruptions and average over the severities; it is the other way round.",
        hint="which axis holds the severities?",
        stronger="the first axis holds the corruptions, the second the severities: sum over the second.",
        target=lambda errors, reference: ratios(errors, reference, axis=0).mean(),
    ),
    Mistake(
        name="upside down",
        says="you divide the reference's errors by the network's: a better network would get a larger number.",
        hint="is a result below 1 to be good or bad?",
        stronger="the network's errors stand above the line.",
        target=lambda errors, reference: relative(reference, errors),
    ),
    Mistake(
        name="accuracies instead of errors",
        says="you compare the shares of right answers; the tables hold errors, and so does the measure.",
        hint="what stands in the tables?",
        stronger="use the tables as they come.",
        target=lambda errors, reference: relative(1 - errors, 1 - reference),
    ),
    Mistake(
        name="a difference",
        says="you subtract; the measure divides, so that easy and hard corruptions count alike.",
        hint="what is the result for a network that errs exactly like the reference?",
        stronger="1, not 0.",
        target=lambda errors, reference: (errors - reference).mean(),
    ),
    Mistake(
        name="no reference",
        says="you return the mean error; the reference is not used.",
        hint="what is the second argument for?",
        stronger="divide by the reference's errors, corruption by corruption.",
        target=lambda errors, reference: errors.mean(),
    ),
    Mistake(
        name="a sum",
        says="you add the corruptions' ratios up; their mean is wanted.",
        hint="what would twelve corruptions give instead of six?",
        stronger="divide by the number of corruptions.",
        target=lambda errors, reference: ratios(errors, reference).sum(),
    ),
    Mistake(
        name="percent",
        says="you return per cent; 1 is to mean: as many errors as the reference.",
        hint="what is the result for a network that errs exactly like the reference?",
        stronger="do not multiply by 100.",
        target=lambda errors, reference: 100 * relative(errors, reference),
    ),
)

ANSWERS = {"mean_corruption_error": Answer(relative, MISTAKES, tolerance=1e-6)}
