"""Chapter 10's exercises on groups and on trust: what torch and kept libraries say, and how learners go wrong."""

import numpy as np
import torch
import torch.nn.functional as F

from utils.checks.answer import Answer, Mistake

# ── group_accuracy: a product of one-hot rows counts the wrong and the right answers of each group ───────────────────


def table(predicted, y, group):
    """Counts (G, 2): wrong and right answers in each group."""
    outcome = F.one_hot(torch.eq(predicted, y).long(), 2)
    return torch.einsum("ng,nr->gr", F.one_hot(group).double(), outcome.double())


def counted(read):
    return lambda predicted, y, group: read(table(predicted, y, group))


def shares(counts):
    return F.normalize(counts, p=1, dim=1)[:, 1]


GROUP_MISTAKES = (
    Mistake(
        name="overall accuracy for every group",
        says="every group gets the accuracy of all pictures: that is the number which hid the problem.",
        hint="which pictures does the accuracy of group 1 look at?",
        stronger="choose the group's pictures first, then take the mean of right and wrong over those alone.",
        target=counted(lambda counts: counts.sum(0)[1] / counts.sum() * torch.ones(len(counts))),
    ),
    Mistake(
        name="divided by all pictures",
        says="you divide by the number of *all* pictures, so a small group can only look bad.",
        hint="what comes out for a group of 5 among 100 pictures, if all 5 are right?",
        stronger="divide by the number of pictures in the group.",
        target=counted(lambda counts: counts[:, 1] / counts.sum()),
    ),
    Mistake(
        name="share of the right answers",
        says="you give which part of the right answers falls into each group; they add up to 1, accuracies do not.",
        hint="is the divisor the group's pictures, or all right answers?",
        stronger="divide by the number of pictures in the group.",
        target=counted(lambda counts: counts[:, 1] / counts[:, 1].sum()),
    ),
    Mistake(
        name="error instead of accuracy",
        says="you give the share of wrong answers in each group.",
        hint="what is the accuracy where everything is right?",
        stronger="compare with ==, not with !=.",
        target=counted(lambda counts: F.normalize(counts, p=1, dim=1)[:, 0]),
    ),
    Mistake(
        name="counts of right answers",
        says="you give numbers of pictures; shares are wanted.",
        hint="can groups of different size be compared by counts?",
        stronger="divide by the size of each group, or take a mean in place of a sum.",
        target=counted(lambda counts: counts[:, 1]),
    ),
    Mistake(
        name="groups in per cent",
        says="you return per cent; shares between 0 and 1 are wanted.",
        hint="what is 84 per cent as a share?",
        stronger="do not multiply by 100; formatting with :.1% does that.",
        target=counted(lambda counts: 100 * shares(counts)),
    ),
    Mistake(
        name="the worst group alone",
        says="you return the worst group's accuracy only; the table needs all of them.",
        hint="how many numbers are wanted for three groups?",
        stronger="leave min() to whoever asks for the worst.",
        target=counted(lambda counts: shares(counts).amin()),
    ),
    Mistake(
        name="compared with the group",
        says="you compare the predictions with the *groups*; right or wrong is a matter of the labels.",
        hint="what makes an answer right?",
        stronger="predicted == y, and the group only chooses which pictures count.",
        target=lambda predicted, y, group: shares(table(predicted, group, group)),
    ),
    Mistake(
        name="classes in place of groups",
        says="you give the accuracy of each *class*: recall. The groups are in `group`.",
        hint="which of the three arguments says where a picture belongs?",
        stronger="choose the pictures with group == g.",
        target=lambda predicted, y, group: shares(table(predicted, y, y.unique(return_inverse=True)[1])),
    ),
)

# ── group_weights: scikit-learn's "balanced" weights ─────────────────────────────────────────────────────────────────


def balanced(group):
    from sklearn.utils.class_weight import compute_sample_weight

    return torch.from_numpy(compute_sample_weight("balanced", group.numpy()))


def scaled(change):
    return lambda group: change(balanced(group), group)


WEIGHT_MISTAKES = (
    Mistake(
        name="large groups weigh more",
        says="your weights grow with the group: what is frequent already is made to count even more.",
        hint="which pictures are there too few of?",
        stronger="the weight is one over the size of the group, times something that is the same for all.",
        target=scaled(lambda w, group: w.reciprocal() / w.reciprocal().mean()),
    ),
    Mistake(
        name="a weight for each group",
        says="you return one weight for each group; one for each *picture* is wanted.",
        hint="how long is the result to be?",
        stronger="index the groups' weights with `group`.",
        target=scaled(lambda w, group: torch.stack([w[group == g][0] for g in group.unique()])),
    ),
    Mistake(
        name="weights not scaled",
        says="your weights are right but for their scale: with 1 / size, the mean weight is far below 1, and with it "
        "the loss and every step.",
        hint="what is the mean of your weights?",
        stronger="divide by the mean of the weights at the end.",
        target=scaled(lambda w, group: w * len(group.unique()) / len(group)),
    ),
    Mistake(
        name="weights that add up to 1",
        says="your weights add up to 1; their *mean* is to be 1, so that losses keep their size.",
        hint="what would the mean loss of a batch be, weighted so?",
        stronger="divide by the mean, not by the sum.",
        target=scaled(lambda w, group: w / w.sum()),
    ),
    Mistake(
        name="largest weight 1",
        says="you scale the largest weight to 1; it is the mean that is to be 1.",
        hint="what is the mean of your weights?",
        stronger="divide by the mean, not by the largest.",
        target=scaled(lambda w, group: w / w.amax()),
    ),
    Mistake(
        name="square root",
        says="you take a square root: the groups come nearer to each other, but they do not count the same.",
        hint="add up the weights of each group.",
        stronger="no root: one over the size.",
        target=scaled(lambda w, group: w.sqrt() / w.sqrt().mean()),
    ),
    Mistake(
        name="one minus the share",
        says="you weigh by 1 − share: that makes two groups count the same, but not three, and the mean is not 1.",
        hint="add up the weights of each group.",
        stronger="one over the size of the group.",
        target=lambda group: 1 - F.one_hot(group).double().mean(0)[group],
    ),
    Mistake(
        name="empty groups counted",
        says="you divide among all numbers of groups, those that no picture has among them: the mean is below 1.",
        hint="what is the mean of your weights where a number is missing?",
        stronger="count the groups that occur, or divide by the mean of the weights.",
        target=scaled(lambda w, group: w * len(group.unique()) / (group.amax() + 1)),
    ),
)

# ── saliency: the whole Jacobian, by torch, and the rows that were asked for ─────────────────────────────────────────


def jacobian(net, x, of=lambda logits: logits):
    """(B, classes, 3, H, W): how each of a picture's numbers changes with its pixels."""
    return torch.stack(
        [torch.autograd.functional.jacobian(lambda one: of(net(one))[0], picture[None])[:, 0] for picture in x]
    )


def rows(net, x, label, of=lambda logits: logits):
    """(B, 3, H, W): those of the classes asked about."""
    return torch.stack([row[int(k)] for row, k in zip(jacobian(net, x, of), label, strict=True)])


SALIENCY_MISTAKES = (
    Mistake(
        name="gradient of the loss",
        says="you ask what changes the *loss*, not the logit. Where the network is sure, the loss is flat, and the map "
        "fades.",
        hint="of which number do you take the gradient?",
        stronger="take the logit of the class asked about; no cross-entropy is needed.",
        target=lambda net, x, label: rows(net, x, label, lambda z: -z.log_softmax(1)).abs().amax(1),
    ),
    Mistake(
        name="gradient of the probability",
        says="you ask what changes the *probability*: softmax mixes the other classes in, and is flat where the "
        "network is sure.",
        hint="what does the network give before softmax?",
        stronger="take the logit of the class asked about.",
        target=lambda net, x, label: rows(net, x, label, lambda z: z.softmax(1)).abs().amax(1),
    ),
    Mistake(
        name="all classes at once",
        says="you add up all logits: the map tells what changes any of them, not the class that was asked about.",
        hint="where does `label` come in?",
        stronger="choose one logit for each picture, its own label's; gather can do that, or a pair of indices.",
        target=lambda net, x, label: jacobian(net, x).sum(1).abs().amax(1),
    ),
    Mistake(
        name="the largest logit",
        says="you take the largest logit, whatever class was asked about.",
        hint="where does `label` come in?",
        stronger="choose the logit of the label, for each picture its own.",
        target=lambda net, x, label: rows(net, x, net(x).argmax(1)).abs().amax(1),
    ),
    Mistake(
        name="sign kept",
        says="you take the largest gradient with its sign; a pixel that speaks strongly *against* matters as well.",
        hint="what becomes of a large negative gradient?",
        stronger="absolute values first, then the largest of the channels.",
        target=lambda net, x, label: rows(net, x, label).amax(1),
    ),
    Mistake(
        name="mean of the channels",
        says="you average over the channels; the *largest* of the three is wanted.",
        hint="how do three numbers for a pixel become one?",
        stronger="amax over dimension 1.",
        target=lambda net, x, label: rows(net, x, label).abs().mean(1),
    ),
    Mistake(
        name="sum of the channels",
        says="you add up the channels; the *largest* of the three is wanted.",
        hint="how do three numbers for a pixel become one?",
        stronger="amax over dimension 1.",
        target=lambda net, x, label: rows(net, x, label).abs().sum(1),
    ),
    Mistake(
        name="gradient times picture",
        says="you multiply the gradient by the picture: dark pixels then never matter, whatever hangs on them.",
        hint="what does your map say of a black pixel?",
        stronger="the gradient alone.",
        target=lambda net, x, label: (rows(net, x, label) * x).abs().amax(1),
    ),
    Mistake(
        name="channels left",
        says="your maps have a channel dimension: (B, 3, H, W). One number for each pixel is wanted.",
        hint="which dimension is to go?",
        stronger="the largest over dimension 1.",
        target=lambda net, x, label: rows(net, x, label).abs(),
    ),
)

# ── calibration_error: scikit-learn's calibration curve, weighted by the histogram ───────────────────────────────────


def curve(confidence, right, bins, strategy="uniform"):
    """Accuracy, mean confidence and number of pictures of each bin that is not empty."""
    from sklearn.calibration import calibration_curve

    c, r = np.asarray(confidence), np.asarray(right, dtype=int)
    accuracy, mean = calibration_curve(r, c, n_bins=bins, strategy=strategy)
    counts = np.histogram(c, np.linspace(0, 1, bins + 1))[0]
    return accuracy, mean, counts[counts > 0]


def averaged(gap=lambda accuracy, mean: abs(accuracy - mean), told=np.average, strategy="uniform"):
    def target(confidence, right, bins):
        accuracy, mean, counts = curve(confidence, right, bins, strategy)
        if strategy == "quantile":
            counts = np.ones_like(accuracy)
        return torch.tensor(float(told(gap(accuracy, mean), weights=counts)))

    return target


def centred(confidence, right, bins):
    accuracy, mean, counts = curve(confidence, right, bins)
    return torch.tensor(float(np.average(abs(accuracy - (np.floor(mean * bins) + 0.5) / bins), weights=counts)))


CALIBRATION_MISTAKES = (
    Mistake(
        name="bins count alike",
        says="you take the plain mean over the bins: one picture alone in a bin then counts as much as hundreds.",
        hint="how many pictures are in each bin?",
        stronger="weigh each bin's gap by its share of the pictures.",
        target=averaged(told=lambda gaps, weights: gaps.mean()),
    ),
    Mistake(
        name="gaps cancel",
        says="you add up gaps with their signs: too sure here and not sure enough there cancel out.",
        hint="can your result be negative?",
        stronger="take the absolute value of each bin's gap, before adding up.",
        target=averaged(gap=lambda accuracy, mean: accuracy - mean),
    ),
    Mistake(
        name="one bin for all",
        says="you compare mean confidence and accuracy of *all* pictures: too sure here and not sure enough there "
        "cancel out.",
        hint="where do the bins come in?",
        stronger="compare within each bin, then add up the absolute gaps.",
        target=lambda confidence, right, bins: (right.double().mean() - confidence.mean()).abs(),
    ),
    Mistake(
        name="middle of the bin",
        says="you compare the accuracy with the *middle* of the bin; its pictures claim their own mean confidence.",
        hint="what did the pictures in this bin claim, on average?",
        stronger="take the mean of the confidences in the bin.",
        target=centred,
    ),
    Mistake(
        name="squared gaps",
        says="you square the gaps; their absolute value is wanted.",
        hint="what unit has your result?",
        stronger="abs, not square.",
        target=averaged(gap=lambda accuracy, mean: (accuracy - mean) ** 2),
    ),
    Mistake(
        name="the worst bin",
        says="you return the largest gap of any bin; the *expected* one is wanted, over all pictures.",
        hint="what if the worst bin holds one picture?",
        stronger="weigh each bin's gap by its share of the pictures, and add up.",
        target=averaged(told=lambda gaps, weights: gaps.max()),
    ),
    Mistake(
        name="gap of each picture",
        says="you compare each picture's confidence with its own 0 or 1. A well calibrated network that says 0.7 is "
        "wrong in three of ten, and has no error at all.",
        hint="over which pictures do you average before you compare?",
        stronger="first the means within a bin, then their difference.",
        target=lambda confidence, right, bins: (right.double() - confidence).abs().mean(),
    ),
    Mistake(
        name="bins of equal size",
        says="your bins hold equally many pictures; they are to have equal *width*, from 0 to 1.",
        hint="where does the first of ten bins end?",
        stronger="the borders are 0, 1/bins, 2/bins, … 1.",
        target=averaged(strategy="quantile"),
    ),
    Mistake(
        name="bins between the extremes",
        says="your bins go from the smallest to the largest confidence that occurs; they are to go from 0 to 1.",
        hint="do two networks get the same bins?",
        stronger="the borders are 0, 1/bins, 2/bins, … 1, whatever the confidences are.",
        target=lambda confidence, right, bins: stretched(confidence, right, bins),
    ),
    Mistake(
        name="wrong taken for right",
        says="you compare the confidence with the share of *wrong* answers.",
        hint="what should 0.9 be compared with?",
        stronger="`right` is true where the answer is right.",
        target=lambda confidence, right, bins: averaged()(confidence, ~right, bins),
    ),
    Mistake(
        name="error in per cent",
        says="you return per cent; a number between 0 and 1 is wanted.",
        hint="what is 3 per cent as a share?",
        stronger="do not multiply by 100.",
        target=averaged(gap=lambda accuracy, mean: 100 * abs(accuracy - mean)),
    ),
)


def stretched(confidence, right, bins):
    """The error with bins from the smallest confidence to the largest."""
    low, high = confidence.min(), confidence.max()
    accuracy, mean, counts = curve((confidence - low) / (high - low), right, bins)
    return torch.tensor(float(np.average(abs(accuracy - (float(low) + float(high - low) * mean)), weights=counts)))


# ── fit_temperature: SciPy finds the lowest point ────────────────────────────────────────────────────────────────────


def coldest(logits, y, score=F.cross_entropy):
    """What SciPy finds to be the best temperature, and its loss."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(lambda t: float(score(logits / np.exp(t), y)), bounds=(-4, 4), method="bounded")
    return torch.tensor(float(np.exp(found.x))), torch.tensor(float(found.fun))


TEMPERATURE_MISTAKES = (
    Mistake(
        name="multiplied instead of divided",
        says="you multiply the logits by what you return; a temperature *divides* them: above 1, less sure.",
        hint="what does a temperature of 2 do to the logits [4, 0]?",
        stronger="logits / T.",
        target=lambda logits, y: 1 / coldest(logits, y)[0],
    ),
    Mistake(
        name="logarithm returned",
        says="you return the logarithm of the temperature.",
        hint="can a temperature be negative?",
        stronger="exp brings it back.",
        target=lambda logits, y: coldest(logits, y)[0].log(),
    ),
    Mistake(
        name="temperature never moved",
        says="your temperature is still 1: nothing was fitted.",
        hint="is the loss at your temperature lower than at 0.9 and at 1.1?",
        stronger="try many temperatures and keep the one with the lowest loss, or follow the gradient long enough.",
        target=lambda logits, y: torch.tensor(1.0),
    ),
    Mistake(
        name="softmax before the loss",
        says="you give probabilities to a cross-entropy that applies softmax itself: their best temperature is another "
        "one.",
        hint="does F.cross_entropy want probabilities or logits?",
        stronger="divide the logits, and give them as they are.",
        target=lambda logits, y: coldest(logits, y, lambda z, y: F.cross_entropy(z.softmax(1), y))[0],
    ),
    Mistake(
        name="probabilities divided",
        says="you divide the *probabilities*; the temperature divides the logits, before softmax.",
        hint="do your probabilities still add up to 1?",
        stronger="take the logits.",
        target=lambda logits, y: coldest(logits.softmax(1), y)[0],
    ),
    Mistake(
        name="loss returned",
        says="you return the lowest loss; the temperature at which it is reached is wanted.",
        hint="min or argmin?",
        stronger="find the position of the lowest loss, and give the temperature that stands there.",
        target=lambda logits, y: coldest(logits, y)[1],
    ),
    Mistake(
        name="squared error",
        says="you fit the squared error of the probabilities; cross-entropy is wanted, which punishes sure mistakes.",
        hint="which loss do you minimise?",
        stronger="F.cross_entropy(logits / T, y).",
        target=lambda logits, y: coldest(
            logits, y, lambda z, y: F.mse_loss(z.softmax(1), F.one_hot(y, z.shape[1]).double())
        )[0],
    ),
)

ANSWERS = {
    "group_accuracy": Answer(counted(shares), GROUP_MISTAKES, tolerance=1e-6),
    "group_weights": Answer(balanced, WEIGHT_MISTAKES, tolerance=1e-6),
    "saliency": Answer(lambda net, x, label: rows(net, x, label).abs().amax(1), SALIENCY_MISTAKES, tolerance=1e-6),
    "calibration_error": Answer(averaged(), CALIBRATION_MISTAKES, tolerance=1e-6),
    "fit_temperature": Answer(lambda logits, y: coldest(logits, y)[0], TEMPERATURE_MISTAKES, tolerance=0.012),
}
