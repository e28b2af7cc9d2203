"""Chapter 05's self-checked exercises: what torch says, and how learners go wrong."""

import torch
import torch.nn.functional as F
from torch import nn

from utils.checks.answer import Answer, Mistake

# ── channel_statistics: torch's own batch norm measures the channels ─────────────────────────────────────────────────


def measured(x):
    """What a batch normalisation that only measures has in its running statistics after one look."""
    norm = nn.BatchNorm2d(x.shape[1], momentum=1.0, dtype=torch.float64)
    norm(x.double() / 255)
    return norm.running_mean, norm.running_var.sqrt()


def bent(mean=lambda x: measured(x)[0], std=lambda x: measured(x)[1]):
    return lambda x: (mean(x), std(x))


def of_each_picture(x):
    """(N, C): the standard deviation of each picture's channels."""
    return torch.stack([measured(picture[None])[1] for picture in x])


STATISTICS_MISTAKES = (
    Mistake(
        name="mean of the pictures' deviations",
        says="your deviation is the mean of the deviations *inside* each picture. That misses how much pictures "
        "differ from "
        "one another, so it is too small: the famous (0.2023, 0.1994, 0.2010).",
        hint="all pixels of a channel, of all pictures, are one large heap of numbers.",
        stronger="take mean and std over three dimensions at once: (0, 2, 3).",
        target=bent(std=lambda x: of_each_picture(x).mean(0)),
    ),
    Mistake(
        name="variance instead of deviation",
        says="you return the variance; the standard deviation is its square root.",
        hint="which of the two has the same unit as the pixels?",
        stronger="one square root is missing.",
        target=bent(std=lambda x: measured(x)[1] ** 2),
    ),
    Mistake(
        name="not divided by 255",
        says="your numbers count from 0 to 255; the networks here take pictures in [0, 1].",
        hint="what is the largest value that a pixel of the network's input has?",
        stronger="divide the pictures by 255, as floats, before anything else.",
        target=bent(lambda x: 255 * measured(x)[0], lambda x: 255 * measured(x)[1]),
    ),
    Mistake(
        name="divided by 256",
        says="you divide by 256: white is 255, and is to become 1.",
        hint="how large is a white pixel?",
        stronger="the largest value, not the number of values.",
        target=bent(lambda x: measured(x)[0] * 255 / 256, lambda x: measured(x)[1] * 255 / 256),
    ),
    Mistake(
        name="one number for all channels",
        says="you give every channel the same mean; red, green and blue each have their own.",
        hint="which dimension is to survive?",
        stronger="the channels are dimension 1: reduce over all the others.",
        target=lambda x: tuple(
            v.expand(x.shape[1]) if x.shape[1] > 1 else v + 1 for v in measured(x.reshape(len(x), 1, 1, -1))
        ),
    ),
    Mistake(
        name="one number for each pixel",
        says="you average over the pictures only and get a mean for every pixel, (C, H, W): a mean *picture*. "
        "One number for "
        "each channel is wanted.",
        hint="which dimensions still run after your mean?",
        stronger="reduce over the pictures, the rows and the columns: (0, 2, 3).",
        target=lambda x: (x.double().div(255).mean(0), x.double().div(255).std(0)),
    ),
)

# ── train_epoch: torch's optimisers take the whole step when given a closure ─────────────────────────────────────────


def trained(
    zero=True,
    step=True,
    mode=True,
    score=F.cross_entropy,
    told=lambda losses, sizes: losses @ sizes / sizes.sum(),
    late=False,
):
    """An epoch as somebody trains who may have left something out."""

    def target(model, optimizer, batches):
        model.train(mode)
        losses, sizes = [], []

        def closure(x, y):
            if zero and not late:
                optimizer.zero_grad()
            loss = score(model(x), y)
            loss.backward()
            return loss

        for x, y in batches:
            if late:
                optimizer.step()
                optimizer.zero_grad()
                loss = closure(x, y)
            else:
                loss = optimizer.step(lambda x=x, y=y: closure(x, y)) if step else closure(x, y)
            losses.append(loss.detach())
            sizes.append(len(y))
        return told(torch.stack(losses).double(), torch.tensor(sizes, dtype=torch.float64))

    return target


EPOCH_MISTAKES = (
    Mistake(
        name="evaluation mode",
        says="the network trains in evaluation mode: batch norm does not learn its statistics, and dropout drops "
        "nothing.",
        hint="who tells a network that it is being trained?",
        stronger="call the model's train() before the first batch.",
        target=trained(mode=False),
    ),
    Mistake(
        name="gradients not zeroed",
        says="the gradients of earlier batches are still in .grad: backward() adds to what is there.",
        hint="what does .grad hold when the second batch begins?",
        stronger="the optimiser can empty all gradients; once for each batch, before backward().",
        target=trained(zero=False),
    ),
    Mistake(
        name="no step",
        says="the weights never change. Gradients alone move nothing, and a step without gradients does not either.",
        hint="who changes the weights, and does it happen after backward() and before the gradients are emptied?",
        stronger="the order is: empty the gradients, forward, backward, step.",
        target=trained(step=False),
    ),
    Mistake(
        name="a step behind",
        says="the step comes before backward(): each batch is learned from one batch later, and the last one never.",
        hint="from which batch are the gradients at the moment of the step?",
        stronger="the order is: empty the gradients, forward, backward, step.",
        target=trained(late=True),
    ),
    Mistake(
        name="softmax twice",
        says="you apply softmax before the cross-entropy, which applies it once more: gradients shrink, and "
        "training crawls.",
        hint="does F.cross_entropy want probabilities or logits?",
        stronger="give it the model's output as it comes.",
        target=trained(score=lambda logits, y: F.cross_entropy(logits.softmax(1), y)),
    ),
    Mistake(
        name="loss summed over the batch",
        says="you step along the *sum* of the pictures' losses: a larger batch makes larger steps.",
        hint="what does F.cross_entropy do with the pictures of a batch, if you let it?",
        stronger='leave reduction at "mean".',
        target=trained(score=lambda logits, y: F.cross_entropy(logits, y, reduction="sum")),
    ),
    Mistake(
        name="mean of the batches' losses",
        says="you average over the batches, so the few pictures of the small last batch count more than the others.",
        hint="how much does one picture of the last batch weigh?",
        stronger="add up loss × number of pictures, and divide by the number of all pictures.",
        target=trained(told=lambda losses, sizes: losses.mean()),
    ),
    Mistake(
        name="loss of the last batch",
        says="you return the last batch's loss; it says little about the epoch.",
        hint="what became of the losses before?",
        stronger="add up over the batches.",
        target=trained(told=lambda losses, sizes: losses[-1]),
    ),
    Mistake(
        name="sum of the losses",
        says="you return the sum of the batches' losses: it grows with their number.",
        hint="is it comparable between two data sets of different size?",
        stronger="weigh each loss by its batch's size, and divide by the number of all pictures.",
        target=trained(told=lambda losses, sizes: losses.sum()),
    ),
)

# ── evaluate: what the layers say, counted by torch ──────────────────────────────────────────────────────────────────


def best(logits, y):
    """The hits among the largest logits."""
    return F.one_hot(y, logits.shape[1])[logits == logits.amax(1, keepdim=True)]


def evaluated(mode=False, record=False, hit=best, told=lambda hits, sizes: hits.sum() / sizes.sum()):
    """An evaluation as somebody does it who may have left something out."""

    def target(model, batches):
        model.train(mode)
        with torch.set_grad_enabled(record):
            hits = [hit(model(x), y).sum().double() for x, y in batches]
        return told(torch.stack(hits), torch.tensor([len(y) for _, y in batches], dtype=torch.float64))

    return target


EVALUATION_MISTAKES = (
    Mistake(
        name="mean of the batches' accuracies",
        says="you average the batches' accuracies, so the few pictures of the small last batch count more than "
        "the others.",
        hint="how much does one picture of the last batch weigh?",
        stronger="count right answers and pictures; divide once, at the end.",
        target=evaluated(told=lambda hits, sizes: (hits / sizes).mean()),
    ),
    Mistake(
        name="only the last batch",
        says="you return the accuracy of the last batch.",
        hint="what became of the batches before?",
        stronger="count right answers and pictures over all batches.",
        target=evaluated(told=lambda hits, sizes: hits[-1] / sizes[-1]),
    ),
    Mistake(
        name="a number of pictures",
        says="you return how many are right, not which fraction.",
        hint="what would the result be for twice as many pictures?",
        stronger="divide by the number of all pictures.",
        target=evaluated(told=lambda hits, sizes: hits.sum()),
    ),
    Mistake(
        name="percent",
        says="you return per cent; a fraction between 0 and 1 is wanted.",
        hint="what is 84 per cent as a fraction?",
        stronger="do not multiply by 100; formatting with :.1% does that.",
        target=evaluated(told=lambda hits, sizes: 100 * hits.sum() / sizes.sum()),
    ),
    Mistake(
        name="divided by the number of batches",
        says="you divide the right answers by the number of batches.",
        hint="of how many pictures are they the right ones?",
        stronger="add up the sizes of the batches, too.",
        target=evaluated(told=lambda hits, sizes: hits.sum() / len(sizes)),
    ),
    Mistake(
        name="the smallest logit",
        says="you take the class with the smallest logit as the prediction; the largest is the network's choice.",
        hint="which class does softmax give most probability?",
        stronger="argmax over dimension 1.",
        target=evaluated(hit=lambda logits, y: F.one_hot(y, logits.shape[1])[logits == logits.amin(1, keepdim=True)]),
    ),
    Mistake(
        name="training mode",
        says="the network is evaluated in training mode: batch norm uses the batch's own statistics, and dropout "
        "drops. The "
        "result then depends on who else is in the batch.",
        hint="who tells a network that it is being used, not trained?",
        stronger="call the model's eval() before the first batch.",
        target=evaluated(mode=True),
    ),
    Mistake(
        name="gradients recorded",
        says="gradients are recorded while evaluating: that costs time, and memory for every activation.",
        hint="nothing will be learned here. Who tells autograd?",
        stronger="run the network inside torch.no_grad(), as a block or as a decorator.",
        target=evaluated(record=True),
    ),
)

# ── confusion_matrix: a product of one-hot rows adds up what falls on the same place ──────────────────────────────────


def counted(y, predicted, n):
    return torch.einsum("bi,bj->ij", F.one_hot(y, n).double(), F.one_hot(predicted, n).double())


CONFUSION_MISTAKES = (
    Mistake(
        name="transposed",
        says="rows and columns are swapped: the row is the true class, the column the predicted one.",
        hint="which index comes first in matrix[…, …]?",
        stronger="matrix[true, predicted].",
        target=lambda y, predicted, n: counted(predicted, y, n),
    ),
    Mistake(
        name="repeats counted once",
        says="where several pictures fall on the same cell, you count one. `matrix[y, predicted] += 1` reads all "
        "cells first "
        "and writes each once, however often it is named.",
        hint="count by hand: three pictures of class 0 taken for class 1.",
        stronger="go through the pictures one at a time, or let torch.bincount count y * n + predicted.",
        target=lambda y, predicted, n: counted(y, predicted, n).clamp(max=1),
    ),
    Mistake(
        name="shares instead of counts",
        says="you give the share of each row; counts are wanted.",
        hint="is the sum of all cells the number of pictures?",
        stronger="do not divide.",
        target=lambda y, predicted, n: F.normalize(counted(y, predicted, n), p=1, dim=1),
    ),
    Mistake(
        name="only the mistakes",
        says="the diagonal is empty: right answers belong into the matrix as well.",
        hint="where does a picture of class 2 go that is taken for class 2?",
        stronger="count every picture.",
        target=lambda y, predicted, n: counted(y, predicted, n).fill_diagonal_(0),
    ),
    Mistake(
        name="size from the data",
        says="the matrix is as large as the classes that happen to occur; it is to be n × n.",
        hint="what if no picture of the last class is among them?",
        stronger="make n × n zeros first (torch.bincount has minlength).",
        target=lambda y, predicted, n: counted(y, predicted, n)[: y.max() + 1, : predicted.max() + 1],
    ),
)

ANSWERS = {
    "channel_statistics": Answer(bent(), STATISTICS_MISTAKES, tolerance=2e-4),
    "train_epoch": Answer(trained(), EPOCH_MISTAKES),
    "evaluate": Answer(evaluated(), EVALUATION_MISTAKES, tolerance=1e-6),
    "confusion_matrix": Answer(counted, CONFUSION_MISTAKES),
}
