"""Chapter 06's self-checked exercises: what torch, scikit-learn and SciPy say, and how learners go wrong."""

import copy

import numpy as np
import torch

from utils.checks.answer import Answer, Mistake

# ── early_stopping: torch's ReduceLROnPlateau has the same patience; it lowers a learning rate where we stop ──────────


def plateau(patience, **settings):
    """torch's scheduler for which an epoch counts as better if its loss is smaller at all."""
    dummy = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    settings = {"threshold": 0.0} | settings
    return torch.optim.lr_scheduler.ReduceLROnPlateau(dummy, patience=patience - 1, **settings)


def stopped(
    watch=plateau,
    seen=lambda losses: losses[-1],
    kept=lambda losses: int(np.argmin(losses)) + 1,
    told=lambda best, losses: best,
    weights=lambda copies, best: copies[best - 1],
):
    """A training that ends when torch would lower the learning rate, by somebody who may have got something wrong."""

    def target(model, train_epoch, patience, epochs):
        watcher, losses, copies = watch(patience), [], []
        while len(losses) < epochs and watcher.optimizer.param_groups[0]["lr"] == 1.0:
            losses.append(train_epoch(model))
            copies.append(copy.deepcopy(model.state_dict()))
            watcher.step(seen(losses))
        best = kept(losses)
        model.load_state_dict(weights(copies, best))
        return told(best, losses)

    return target


class Falling:
    """A watcher that compares with the epoch before, not with the best."""

    def __init__(self, patience, reset=True):
        self.optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        self.left, self.patience, self.last, self.reset = patience, patience, float("inf"), reset

    def step(self, loss):
        better = loss < self.last
        if self.reset:
            self.left, self.last = (self.patience if better else self.left - 1), loss
        else:
            self.left, self.last = self.left - (not better), min(self.last, loss)
        self.optimizer.param_groups[0]["lr"] = 1.0 if self.left else 0.5


STOPPING_MISTAKES = (
    Mistake(
        name="an epoch too late",
        says="you wait one epoch too long. With patience 3, the third epoch in a row without a better loss is the "
        "last.",
        hint="count the epochs after the best one on your fingers.",
        stronger="stop as soon as the count *reaches* the patience; do not wait until it is larger.",
        target=stopped(lambda patience: plateau(patience + 1)),
    ),
    Mistake(
        name="no patience",
        says="you stop at the first epoch that is not better. Losses go up and down: that is what patience is for.",
        hint="what does your function do with `patience`?",
        stronger="count the epochs since the best one, and compare the count with the patience.",
        target=stopped(lambda patience: plateau(1)),
    ),
    Mistake(
        name="never stops",
        says="you train for all epochs, whatever the losses do.",
        hint="which line of yours ends the loop?",
        stronger="leave the loop (`break`) when the count of epochs without a better loss reaches the patience.",
        target=stopped(lambda patience: plateau(10**6)),
    ),
    Mistake(
        name="compared with the epoch before",
        says="you compare each loss with that of the epoch before. After a jump upwards every small step down would "
        "count "
        "as better, though the best is long gone.",
        hint="better than what?",
        stronger="remember the smallest loss so far, and compare with that.",
        target=stopped(Falling),
    ),
    Mistake(
        name="count never reset",
        says="you count all epochs without a better loss, not those in a row: a better one must set the count to zero.",
        hint="what happens to your count when the loss is better?",
        stronger="there are two cases in each epoch: better (remember it, count = 0), or not (count up).",
        target=stopped(lambda patience: Falling(patience, reset=False)),
    ),
    Mistake(
        name="equal counts as better",
        says="an epoch that is *as good as* the best resets your count: a training that stands still would never end.",
        hint="`<` or `<=`?",
        stronger="only a smaller loss is better.",
        target=stopped(
            lambda patience: plateau(patience, threshold=-1e-9, threshold_mode="abs"),
            kept=lambda losses: len(losses) - int(np.argmin(losses[::-1])),
        ),
    ),
    Mistake(
        name="larger counts as better",
        says="you keep the *largest* loss as the best. Accuracies are better when they are large, losses when small.",
        hint="is a loss of 3 better than one of 2?",
        stronger="turn the comparison round, and begin with infinity as the best so far.",
        target=stopped(lambda patience: plateau(patience, mode="max"), kept=lambda losses: int(np.argmax(losses)) + 1),
    ),
    Mistake(
        name="last weights kept",
        says="the model keeps the weights of the *last* epoch: by then it has got worse for as long as your "
        "patience. Those "
        "of the best epoch are wanted.",
        hint="what is in the model when your loop ends?",
        stronger="at each better epoch, set a copy of the model's state_dict() aside; load it in the end.",
        target=stopped(weights=lambda copies, best: copies[-1]),
        twins=("copy that is none",),
    ),
    Mistake(
        name="copy that is none",
        says="you set model.state_dict() aside, but that is no copy: its tensors *are* the model's, and change with "
        "it. So "
        "the model ends with its last weights.",
        hint="what does the optimiser do with the tensors in state_dict()?",
        stronger="clone each tensor, or use copy.deepcopy.",
        target=stopped(weights=lambda copies, best: copies[-1]),
        twins=("last weights kept",),
    ),
    Mistake(
        name="last epoch returned",
        says="you return the number of the last epoch; the best one is wanted.",
        hint="in which epoch was the loss smallest?",
        stronger="remember the epoch together with its loss.",
        target=stopped(told=lambda best, losses: len(losses)),
    ),
    Mistake(
        name="counted from 0",
        says="you count epochs from 0; the first is epoch 1, as in the history and in the curves.",
        hint="what do you return if the very first epoch was the best?",
        stronger="let your loop run from 1 to epochs.",
        target=stopped(told=lambda best, losses: best - 1),
    ),
)

# ── near_duplicates: torch measures all distances ────────────────────────────────────────────────────────────────────


def apart(train, test):
    """Root mean square difference of every test picture from every training picture, white being 1: (M, N)."""
    x, z = (pictures.double().flatten(1) / 255 for pictures in (train, test))
    return torch.cdist(z, x) / x.shape[1] ** 0.5


def near(distance=apart, over=1, choose=torch.amin):
    """Which are nearer than the threshold, by somebody who may measure something else."""

    def target(train, test, threshold):
        return choose(distance(train, test), over).lt(threshold).nonzero().flatten()

    return target


def wrapped(train, test):
    """Distances of bytes that were subtracted as bytes: 3 − 5 is 254."""
    difference = (test[:, None] - train[None]).double().flatten(2) / 255
    return difference.square().mean(2).sqrt()


def in_sum(train, test):
    """Distances that are no means: they grow with the pictures."""
    return apart(train, test) * train[0].numel() ** 0.5


def of_means(train, test):
    """How far apart the mean brightnesses are."""
    return (test.double().flatten(1).mean(1)[:, None] - train.double().flatten(1).mean(1)[None]).abs() / 255


DUPLICATE_MISTAKES = (
    Mistake(
        name="exact copies only",
        says="you find pictures that are equal in every pixel. A copy that was saved again, or is a little lighter, "
        "escapes.",
        hint="what is `threshold` for?",
        stronger="measure how far apart two pictures are, and compare that with the threshold.",
        target=near(lambda train, test: (apart(train, test) > 0).double()),
    ),
    Mistake(
        name="bytes that wrap round",
        says="you subtract bytes: 3 − 5 is 254 in uint8, so pictures that are a little *darker* seem far away.",
        hint="torch.tensor(3, dtype=torch.uint8) − 5: try it.",
        stronger="make floats of both, divided by 255, before you subtract.",
        target=near(wrapped),
    ),
    Mistake(
        name="not divided by 255",
        says="your distances are in steps of 0 to 255; the threshold is in units of white = 1.",
        hint="how far is black from white in your distances?",
        stronger="divide the pictures by 255 first.",
        target=near(lambda train, test: 255 * apart(train, test)),
    ),
    Mistake(
        name="sum instead of mean",
        says="your distance adds up all pixels, so larger pictures are farther apart. The threshold is meant for the "
        "*mean*.",
        hint="what is the distance between a black and a white picture?",
        stronger="take the mean of the squared differences of all values, then its root.",
        target=near(in_sum),
    ),
    Mistake(
        name="root forgotten",
        says="your distance is the mean *squared* difference: differences of a tenth become a hundredth, and much "
        "passes as "
        "near.",
        hint="which unit does your distance have?",
        stronger="a square root is missing, behind the mean.",
        target=near(lambda train, test: apart(train, test) ** 2),
    ),
    Mistake(
        name="differences cancel",
        says="you take the mean of the differences, or the difference of the means: lighter pixels make up for "
        "darker ones, "
        "and a chessboard seems equal to its reverse.",
        hint="what are the differences of a chessboard and its reverse, and their mean?",
        stronger="square the differences of the pixels before the mean.",
        target=near(of_means),
    ),
    Mistake(
        name="indices of the training pictures",
        says="these are indices of training pictures; those of the test pictures are wanted.",
        hint="over which dimension of your table of distances do you take the minimum?",
        stronger="for each test picture, the distance to the nearest training picture.",
        target=near(over=0),
    ),
    Mistake(
        name="near to all",
        says="you ask for test pictures that are near to *every* training picture; near to one is enough.",
        hint="any or all?",
        stronger="take the minimum over the training pictures, not the maximum.",
        target=near(choose=torch.amax),
    ),
    Mistake(
        name="only the picture at the same place",
        says="you compare test picture i with training picture i only; the copy may stand anywhere.",
        hint="how many pairs are there?",
        stronger="every test picture with every training picture: a table of M × N distances.",
        target=lambda train, test, threshold: (
            apart(train, test)[: len(train)].diagonal().lt(threshold).nonzero().flatten()
        ),
    ),
    Mistake(
        name="the pictures that are new",
        says="you return the test pictures that have *no* near-duplicate.",
        hint="smaller or larger than the threshold?",
        stronger="turn the comparison round.",
        target=lambda train, test, threshold: apart(train, test).amin(1).ge(threshold).nonzero().flatten(),
    ),
)

# ── split_by_group: scikit-learn splits ──────────────────────────────────────────────────────────────────────────────


def split_by(splitter, swapped=False, told=lambda groups: groups):
    """scikit-learn's splits, by somebody who may have taken the wrong one; `told`: what it hears of the groups."""

    def target(groups, share, generator):
        state = int(torch.randint(2**31, (), generator=generator))
        parts = splitter(share, state, len(groups)).split(groups, groups=told(groups))
        train, test = (torch.from_numpy(part) for part in next(iter(parts)))
        return (test, train) if swapped else (train, test)

    return target


def by_groups(share, state, n):
    from sklearn.model_selection import GroupShuffleSplit

    return GroupShuffleSplit(1, test_size=share, random_state=state)


def by_pictures(share, state, n):
    from sklearn.model_selection import ShuffleSplit

    return ShuffleSplit(1, test_size=share, random_state=state)


def lost(target):
    """Only one picture of each group."""

    def fewer(groups, share, generator):
        return tuple(
            part[torch.from_numpy(np.unique(groups[part].numpy(), return_index=True)[1])]
            for part in target(groups, share, generator)
        )

    return fewer


def names_of(target):
    """The groups' own numbers, cut down so that they could be indices."""
    return lambda groups, share, generator: tuple(
        groups[part].unique() % len(groups) for part in target(groups, share, generator)
    )


def in_order(groups, share, generator):
    """Pictures sorted by group, and cut where the share of pictures is reached: through the middle of a group."""
    order = groups.argsort(stable=True)
    cut = int(len(groups) * (1 - share))
    while groups[order[cut]] != groups[order[cut - 1]]:
        cut += 1
    return order[:cut], order[cut:]


SPLIT_MISTAKES = (
    Mistake(
        name="pictures shuffled, not groups",
        says="you draw *pictures*: most groups then have some on either side, and the test measures who is remembered.",
        hint="what is drawn by lot: pictures, or patients?",
        stronger="draw some of the different groups (groups.unique()); all of their pictures go to the test part.",
        target=split_by(by_pictures, told=lambda groups: None),
    ),
    Mistake(
        name="cut through a group",
        says="you sort by group and cut at a number of pictures: the cut goes through a group, which is then on both "
        "sides.",
        hint="to whom does the picture before your cut belong, to whom the one behind it?",
        stronger="draw whole groups first; which pictures follow, follows.",
        target=in_order,
    ),
    Mistake(
        name="always the same groups",
        says="whatever the generator, the same groups are chosen. The first numbers may be the oldest patients, or "
        "one clinic's.",
        hint="who decides by lot here?",
        stronger="torch.randperm(…, generator=generator) shuffles the different groups.",
        target=lambda groups, share, generator: split_by(by_groups)(groups, share, torch.Generator().manual_seed(0)),
    ),
    Mistake(
        name="train and test swapped",
        says="the parts are swapped: `share` is the test part's, and the training part comes first.",
        hint="which of your two parts is the larger?",
        stronger="return train, test.",
        target=split_by(by_groups, swapped=True),
    ),
    Mistake(
        name="one picture for each group",
        says="you keep one picture of each group and lose the others.",
        hint="how many pictures are in both parts together?",
        stronger="torch.isin(groups, chosen) tells for every picture whether its group was drawn.",
        target=lost(split_by(by_groups)),
    ),
    Mistake(
        name="numbers of groups returned",
        says="you return the groups' own numbers; the *indices* of their pictures are wanted.",
        hint="x[train] is to give the training pictures.",
        stronger="torch.isin(groups, chosen), then .nonzero().flatten().",
        target=names_of(split_by(by_groups)),
    ),
)

# ── seed_interval: SciPy's t distribution ────────────────────────────────────────────────────────────────────────────


def between(confidence=0.95, ddof=1, freedom=lambda n: n - 1, shrink=lambda n: n**0.5, normal=False, middle=np.mean):
    """SciPy's interval for a mean, by somebody who may have taken another formula."""

    def target(accuracies):
        from scipy import stats

        x = accuracies.numpy()
        n = len(x)
        law = stats.norm if normal else stats.t(freedom(n))
        return tuple(
            float(end) for end in middle(x) + np.std(x, ddof=ddof) / shrink(n) * np.array(law.interval(confidence))
        )

    return target


INTERVAL_MISTAKES = (
    Mistake(
        name="normal instead of t",
        says="you use 1.96, the normal distribution's number. It holds if the deviation is *known*; from 3 runs it "
        "is only "
        "guessed, and the t distribution's 4.30 makes up for that.",
        hint="where does your deviation come from?",
        stronger="scipy.stats.t.ppf(0.975, n - 1).",
        target=between(normal=True),
    ),
    Mistake(
        name="deviation of a run, not of the mean",
        says="you give the range of single runs. The mean of n runs varies less than one run does, by the root of n.",
        hint="should the interval shrink when you train with more seeds?",
        stronger="divide the deviation by √n: that is the standard error.",
        target=between(shrink=lambda n: 1),
    ),
    Mistake(
        name="divided by n, not by its root",
        says="the standard error is the deviation divided by the *root* of n, not by n.",
        hint="four times as many runs make the interval half as wide.",
        stronger="n ** 0.5.",
        target=between(shrink=lambda n: n),
    ),
    Mistake(
        name="deviation divided by n",
        says="your deviation divides by n. For few runs that is too small: their own mean is nearer to them than the "
        "true one.",
        hint="std has a setting for this; torch's and NumPy's start out different.",
        stronger="divide by n − 1: torch's std() does, NumPy's needs ddof=1.",
        target=between(ddof=0),
    ),
    Mistake(
        name="one-sided",
        says="you take the 0.95 quantile, which leaves 5 % above *and* 5 % below: that is a 90 % interval.",
        hint="how much may lie above the interval, how much below?",
        stronger="2.5 % on each side: the 0.975 quantile.",
        target=between(confidence=0.9),
    ),
    Mistake(
        name="n degrees of freedom",
        says="you ask the t distribution with n degrees of freedom; n runs have n − 1 left once their mean is taken.",
        hint="how many of three numbers are free when their mean is given?",
        stronger="the second argument of t.ppf is n − 1.",
        target=between(freedom=lambda n: n),
    ),
    Mistake(
        name="variance instead of deviation",
        says="you use the variance where the standard deviation belongs: for accuracies it is far too small.",
        hint="var or std?",
        stronger="one square root is missing.",
        target=lambda accuracies: tuple(
            accuracies.mean().item() + (end - accuracies.mean().item()) * accuracies.std().item()
            for end in between()(accuracies)
        ),
    ),
    Mistake(
        name="median in the middle",
        says="your interval lies around the median; this one is for the mean.",
        hint="what is in its middle?",
        stronger="mean ± t · standard error.",
        target=between(middle=np.median),
    ),
)

ANSWERS = {
    "early_stopping": Answer(stopped(), STOPPING_MISTAKES),
    "near_duplicates": Answer(near(), DUPLICATE_MISTAKES),
    "split_by_group": Answer(split_by(by_groups), SPLIT_MISTAKES),
    "seed_interval": Answer(between(), INTERVAL_MISTAKES, tolerance=1e-6),
}
