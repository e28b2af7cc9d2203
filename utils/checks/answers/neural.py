"""What torch says in chapter 03's exercises, and how learners go wrong there."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from utils.checks.answer import Answer, Mistake

# ── activations ──────────────────────────────────────────────────────────────────────────────────────────────────────


def all_five(x):
    """torch's own."""
    return {
        "sigmoid": F.sigmoid(x),
        "tanh": F.tanh(x),
        "relu": F.relu(x),
        "leaky_relu": F.leaky_relu(x, 0.1),
        "elu": F.elu(x),
    }


def but(**bent):
    """torch's own, but for one that is bent: `but(relu=torch.abs)`."""
    return lambda x: all_five(x) | {name: change(x) for name, change in bent.items()}


def lost_far_out(function):
    """What overflows far from zero: not a number there."""
    return lambda x: function(x).where(x.abs() < 500, torch.nan)


def lost_far_right(function):
    return lambda x: function(x).where(x < 500, torch.nan)


ACTIVATION_MISTAKES = (
    Mistake(
        "sigmoid mirrored",
        "your sigmoid falls: the exponent has lost its minus sign. 1/(1 + e^(−x)) rises from 0 to 1.",
        "what is sigmoid(1000)? And what is yours there?",
        "it is e to the power of *minus* x.",
        but(sigmoid=lambda x: F.sigmoid(-x)),
    ),
    Mistake(
        "sigmoid overflows",
        "your sigmoid is no number far to the right: e^x overflows there, and ∞/∞ is NaN. 1/(1 + e^(−x)) is the same "
        "function and does not.",
        "compute e^1000 in a cell of your own.",
        "divide numerator and denominator by e^x.",
        but(sigmoid=lost_far_right(F.sigmoid)),
    ),
    Mistake(
        "tanh overflows",
        "your tanh is no number far from zero: e^x and e^(−x) overflow there, and ∞/∞ is NaN.",
        "which formula of tanh needs nothing but the sigmoid?",
        "tanh(x) = 2·sigmoid(2x) − 1.",
        but(tanh=lost_far_out(F.tanh)),
    ),
    Mistake(
        "tanh overflows on the right",
        "your tanh is no number far to the right: e^(2x) overflows there, and ∞/∞ is NaN.",
        "which formula of tanh needs nothing but the sigmoid?",
        "tanh(x) = 2·sigmoid(2x) − 1.",
        but(tanh=lost_far_right(F.tanh)),
    ),
    Mistake(
        "tanh too flat",
        "your tanh is 2·sigmoid(x) − 1: half as steep as tanh. The x inside is doubled, too.",
        "what is the slope of tanh at 0? Of yours?",
        "there are two twos in that formula.",
        but(tanh=lambda x: F.tanh(x / 2)),
    ),
    Mistake(
        "tanh not lowered",
        "your tanh runs from 0 to 2; tanh runs from −1 to 1.",
        "what is tanh(0)?",
        "something is to be subtracted at the end.",
        but(tanh=lambda x: F.tanh(x) + 1),
    ),
    Mistake(
        "absolute value for ReLU",
        "your relu folds negative numbers up; ReLU makes them 0.",
        "what is max(0, −2)?",
        "every negative number becomes the same.",
        but(relu=torch.abs),
    ),
    Mistake(
        "min instead of max",
        "your relu keeps the negative numbers and drops the positive ones: min(0, x).",
        "what is max(0, 2)?",
        "the larger of the two is wanted.",
        but(relu=lambda x: -F.relu(-x)),
    ),
    Mistake(
        "a mask for ReLU",
        "your relu says *whether* x is positive; ReLU gives x itself there. (The mask is its derivative.)",
        "what is max(0, 2)?",
        "a mask can be multiplied by what it masks.",
        but(relu=lambda x: torch.heaviside(x, torch.zeros_like(x))),
    ),
    Mistake(
        "ReLU capped at 1",
        "your relu stops at 1; ReLU has no upper end.",
        "what is max(0, 2)?",
        "clamp takes a lower bound alone.",
        but(relu=lambda x: x.clamp(0, 1)),
    ),
    Mistake(
        "slope of a hundredth",
        "your leaky_relu has a slope of 0.01 on the left, which is what PyTorch uses unless told otherwise; here it "
        "is 0.1.",
        "what is leaky_relu(−2)?",
        "max(0.1·x, x).",
        but(leaky_relu=lambda x: F.leaky_relu(x, 0.01)),
    ),
    Mistake(
        "leaks on the right",
        "your leaky_relu takes the smaller of 0.1·x and x: it leaks on the positive side and lets the negative one "
        "through.",
        "what is leaky_relu(2)?",
        "the larger of the two is wanted.",
        but(leaky_relu=lambda x: x - F.leaky_relu(x, 0.1) + 0.1 * x),
    ),
    Mistake(
        "leaks upwards",
        "your leaky_relu is positive for negative x: the slope on the left has the wrong sign.",
        "what is leaky_relu(−2)?",
        "0.1·x is negative there, and stays so.",
        but(leaky_relu=lambda x: F.leaky_relu(x, -0.1)),
    ),
    Mistake(
        "ELU not lowered",
        "your elu jumps at 0: e^x is 1 there. ELU subtracts 1 from it.",
        "do the two halves meet at 0?",
        "e^x − 1 for negative x.",
        but(elu=lambda x: F.elu(x) + (x < 0)),
    ),
    Mistake(
        "ELU on both sides",
        "your elu is e^x − 1 everywhere; for positive x ELU is x itself.",
        "what is elu(2)?",
        "torch.where chooses for each number which of two results it gets.",
        but(elu=torch.expm1),
    ),
    Mistake(
        "ELU turned up",
        "your elu rises to the left: the exponent's sign is wrong for negative x.",
        "what does ELU tend to far to the left?",
        "e^x with x as it is, and no minus before it.",
        but(elu=lambda x: torch.where(x > 0, x, torch.expm1(-x))),
    ),
)

# ── softmax ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def row_softmax(z):
    return F.softmax(z, 1)


def overflows(z, shift=lambda z: 0):
    """Exponentials of the shifted logits, normalised without care: ∞/∞ and 0/0 where they overflow or vanish."""
    return F.normalize((z - shift(z)).exp(), p=1, dim=1, eps=0.0)


def clamped(z):
    return row_softmax(z.clamp(-50, 50))


SOFTMAX_MISTAKES = (
    Mistake(
        "overflow",
        "your softmax is no number for large logits: e^1000 is ∞, e^(−1000) is 0, and neither ∞/∞ nor 0/0 is a "
        "number. Softmax does not change when a number is subtracted from all logits of a row: subtract the largest.",
        "compute e^1000 in a cell of your own. What is e^(z − max z), at most?",
        "before the exponential, subtract from every row its own largest logit.",
        overflows,
    ),
    Mistake(
        "one maximum for the whole batch",
        "you subtract the largest logit of the *whole batch*: in a row far below it everything becomes 0, and 0/0 is "
        "not a number.",
        "each row is a picture of its own. Which maximum concerns it?",
        "amax over dimension 1, with keepdim=True.",
        lambda z: overflows(z, lambda z: z.amax()),
    ),
    Mistake(
        "mean subtracted",
        "you subtract the row's mean. That changes nothing in the result, but the largest logit can still be far above "
        "it and overflow.",
        "what is the largest exponent that is left in the row (1500, 0, 0)?",
        "subtract the row's largest logit: then no exponent is above 0.",
        lambda z: overflows(z, lambda z: z.mean(1, keepdim=True)),
    ),
    Mistake(
        "largest absolute value subtracted",
        "you subtract the largest *absolute* value: in a row of logits around −1000 the exponents fall to −2000, and "
        "0/0 is not a number.",
        "what is the largest exponent in your computation for the row (−1000, −1001)?",
        "subtract the largest logit, sign and all.",
        lambda z: overflows(z, lambda z: z.abs().amax(1, keepdim=True)),
    ),
    Mistake(
        "logits cut off",
        "you clamp the logits. That avoids the overflow but changes the result: 1000 and 1001 become the same.",
        "what are the probabilities of (1000, 1001)?",
        "softmax does not change when the same number is subtracted from all logits of a row.",
        clamped,
    ),
    Mistake(
        "over the batch",
        "your columns add up to 1, not your rows: you normalise over the pictures of the batch. Each picture has "
        "probabilities of its own.",
        "which dimension counts the classes?",
        "z is (B, K): dimension 1, and keepdim=True.",
        lambda z: F.softmax(z, 0),
    ),
    Mistake(
        "over everything",
        "all your probabilities together add up to 1; those of each row are to.",
        "what is the sum of each row?",
        "sum over dimension 1 alone, with keepdim=True.",
        lambda z: F.softmax(z.flatten(), 0).view_as(z),
    ),
    Mistake(
        "without the exponential",
        "you divide the logits by their sum; softmax divides their exponentials. Logits can be negative, probabilities "
        "cannot.",
        "what do you get for the row (−1, 1)?",
        "exponential first, then divide by the sum.",
        lambda z: F.normalize(z, p=1, dim=1) * z.abs().sum(1, keepdim=True) / z.sum(1, keepdim=True),
    ),
    Mistake(
        "a sigmoid for each",
        "you give each class a sigmoid of its own: the probabilities of a row do not add up to 1.",
        "what is the sum of each row?",
        "divide by the sum of the row's exponentials.",
        F.sigmoid,
    ),
    Mistake(
        "the logarithm",
        "you return the logarithms of the probabilities.",
        "can a probability be negative?",
        "leave the logarithm to the cross-entropy.",
        lambda z: F.log_softmax(z, 1),
    ),
    Mistake(
        "base 2",
        "you take powers of 2; softmax takes powers of e.",
        "what is softmax of (0, ln 3)?",
        "torch.exp.",
        lambda z: row_softmax(z * torch.log(torch.tensor(2.0, dtype=z.dtype))),
    ),
    Mistake(
        "the largest takes all",
        "you give the largest logit probability 1: that is arg max. Softmax is its soft relative, in which every class "
        "keeps something.",
        "what is softmax of (0, ln 3)?",
        "exponentials, divided by their sum.",
        lambda z: F.one_hot(z.argmax(1), z.shape[1]).to(z),
    ),
    Mistake(
        "something added below",
        "you add a small number to the denominator, so the rows do not quite add up to 1. With the largest logit "
        "subtracted the sum is at least 1, and nothing needs to be added.",
        "how small can the sum of e^(z − max z) be?",
        "leave the small number out.",
        lambda z: row_softmax(z) / (1 + 1e-8 / (z - z.amax(1, keepdim=True)).exp().sum(1, keepdim=True)),
    ),
)

# ── cross_entropy ────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(table, y):
    """The entry of each row that the label names."""
    return table.gather(1, y[:, None])[:, 0]


def by_probability(told):
    """A loss of the probabilities that somebody computed first, the right way."""
    return lambda logits, y: told(F.softmax(logits, 1), y)


def naive(logits, y):
    """The logarithm of a softmax without care: no number where e^z overflows."""
    return -chosen(overflows(logits), y).log().mean()


def naive_sum(logits, y):
    """log Σ e^z − z_y without care: infinite where the sum overflows or vanishes."""
    return (torch.linalg.vector_norm(logits.exp(), 1, dim=1).log() - chosen(logits, y)).mean()


def both_sides(p, y):
    return F.binary_cross_entropy(p, F.one_hot(y, p.shape[1]).to(p), reduction="sum") / len(y)


def reduced(logits, y, how):
    return F.cross_entropy(logits, y, reduction=how)


ENTROPY_MISTAKES = (
    Mistake(
        "overflow",
        "your loss is no number for large logits: e^1000 is ∞.",
        "what does your softmax, or your sum of exponentials, give for the row (1000, 0)?",
        "−log p = log Σ e^z − z_y; subtract the row's largest logit from all of them first.",
        naive,
    ),
    Mistake(
        "the sum overflows",
        "log Σ e^z − z_y is the right formula, but e^1000 is ∞ and e^(−1000) is 0, and so is their sum. The loss does "
        "not change when a number is subtracted from all logits of a row: subtract the largest.",
        "what is Σ e^z for the row (1000, 0)? What for (−1000, −1001)?",
        "z − max z first, in every row; then everything as you have it.",
        naive_sum,
    ),
    Mistake(
        "logarithm of 0",
        "your loss is infinite where the right class's probability is smaller than any number the computer has: p has "
        "become 0, and its logarithm is lost. The loss of logits (0, 1000) for class 0 is 1000, not ∞.",
        "can −log p be computed without p?",
        "−log p = log Σ e^z − z_y, with the row's largest logit subtracted first: no p in it.",
        by_probability(lambda p, y: -chosen(p, y).log().mean()),
    ),
    Mistake(
        "a small number inside the logarithm",
        "you add a small number to p, so that the logarithm is never infinite. It stops the loss from growing just "
        "where the network is most wrong, and changes it everywhere else.",
        "what is your loss for logits (0, 1000) and class 0? It should be 1000.",
        "−log p = log Σ e^z − z_y, with the row's largest logit subtracted first: nothing needs to be added.",
        by_probability(lambda p, y: -(chosen(p, y) + 1e-8).log().mean()),
    ),
    Mistake(
        "probability cut off",
        "you keep p away from 0 with a clamp: below it the loss no longer grows, and the gradient is 0, just where the "
        "network is most wrong.",
        "what is your loss for logits (0, 1000) and class 0? It should be 1000.",
        "−log p = log Σ e^z − z_y, with the row's largest logit subtracted first: nothing needs to be cut off.",
        by_probability(lambda p, y: -chosen(p, y).clamp(min=1e-12).log().mean()),
    ),
    Mistake(
        "sum over the batch",
        "you add up the losses of the batch; their mean is wanted, or a larger batch would make larger steps.",
        "how does your loss change when every picture is in the batch twice?",
        "divide by the number of rows.",
        lambda logits, y: reduced(logits, y, "sum"),
    ),
    Mistake(
        "divided by the classes, too",
        "your loss is K times too small: the mean runs over all B·K entries, most of which are 0.",
        "over how many *pictures* is the mean?",
        "first the sum over the classes, then the mean over the rows.",
        lambda logits, y: F.cross_entropy(logits, y) / logits.shape[1],
    ),
    Mistake(
        "sign forgotten",
        "your loss is negative: it grows when the network gets better. −log p, with its minus.",
        "p is at most 1. What sign has its logarithm?",
        "one minus sign is missing.",
        lambda logits, y: -F.cross_entropy(logits, y),
    ),
    Mistake(
        "logarithm to base 2",
        "you take the logarithm to base 2, which gives bits; here it is the natural one.",
        "what is −log 0.1? The table above has it.",
        "torch.log.",
        lambda logits, y: F.cross_entropy(logits, y) / torch.log(torch.tensor(2.0, dtype=logits.dtype)),
    ),
    Mistake(
        "the largest probability",
        "you take the largest probability of each row; the one of the *right* class counts, however small it is.",
        "where does y come into your loss?",
        "pick from each row the column that y names.",
        lambda logits, y: F.cross_entropy(logits, logits.argmax(1)),
    ),
    Mistake(
        "every row with every label",
        "table[:, y] picks the columns of *all* labels from *every* row, a (B, B) table; from each row only its own "
        "label is wanted.",
        "what shape has your table[:, y]?",
        "two lists of indices pair up: rows torch.arange(B), columns y.",
        lambda logits, y: -F.log_softmax(logits, 1)[:, y].mean(),
    ),
    Mistake(
        "logarithm of the mean",
        "you average the probabilities and take the logarithm once; the mean runs over the *losses*.",
        "a picture with p = 0.01 and one with p = 0.99: what is the mean of −log p?",
        "logarithm first, mean last.",
        by_probability(lambda p, y: -chosen(p, y).mean().log()),
    ),
    Mistake(
        "softmax twice",
        "you apply softmax to probabilities: it is there twice, and the loss can hardly become small.",
        "the function receives logits. How many softmaxes does it need?",
        "once.",
        by_probability(F.cross_entropy),
    ),
    Mistake(
        "no logarithm",
        "you return 1 − p: without the logarithm it is never above 1, however wrong the network is.",
        "what is the loss for p = 0.1, in the table above?",
        "−log p.",
        by_probability(lambda p, y: 1 - chosen(p, y).mean()),
    ),
    Mistake(
        "squared error",
        "you take the squared distance from the one-hot vector: that is the loss of least squares, not the "
        "cross-entropy.",
        "H(y, ŷ) = −Σ y log ŷ. Where is the logarithm?",
        "only the right class's term is left of that sum.",
        by_probability(lambda p, y: ((p - F.one_hot(y, p.shape[1])) ** 2).sum(1).mean()),
    ),
    Mistake(
        "every class judged by itself",
        "you also add −log(1 − p) for the wrong classes: that is the loss for independent yes/no questions. In "
        "−Σ y log ŷ only the right class's term is left.",
        "y is 0 for every wrong class. What is left of the sum?",
        "one term for each row.",
        by_probability(both_sides),
    ),
    Mistake(
        "softmax over the batch",
        "you normalise over the pictures of the batch instead of the classes.",
        "which dimension of the logits (B, K) counts the classes?",
        "dimension 1.",
        lambda logits, y: -chosen(F.log_softmax(logits, 0), y).mean(),
    ),
    Mistake(
        "the logit itself",
        "you return minus the right class's logit: without the others' logits there is no probability, and the loss "
        "falls when *all* logits grow.",
        "does your loss change when a wrong class's logit grows?",
        "log Σ e^z is missing.",
        lambda logits, y: -chosen(logits, y).mean(),
    ),
)

# ── sgd_step ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def stepped(lr=lambda lr: lr, change=lambda p: None, which=lambda ps: ps, empty=True, **settings):
    """A step of torch's own SGD, after something was changed about it."""

    def target(parameters, rate):
        parameters = list(parameters)  # net.parameters() can be gone through only once
        for p in parameters:
            change(p)
        optimizer = torch.optim.SGD(which(parameters), lr=lr(rate), **settings)
        optimizer.step()
        if empty:
            optimizer.zero_grad()

    return target


def set_gradient(new):
    """Exchange the gradient of a parameter that has one."""

    def change(p):
        if p.grad is not None:
            p.grad = new(p).detach()

    return change


def on_copies(parameters, rate):
    """A step that no one sees: the parameters handed in stay as they are."""
    stepped()([p.detach().clone() for p in parameters], rate)
    for p in parameters:
        p.grad = None


def recorded(parameters, rate):
    """A step that autograd is to record, in place, on a leaf: it refuses."""
    with torch.enable_grad():
        parameters[0].sub_(rate)


def stops_at_none(parameters, rate):
    if any(p.grad is None for p in parameters):
        raise TypeError("unsupported operand type(s) for *: 'float' and 'NoneType'")
    stepped()(parameters, rate)


STEP_MISTAKES = (
    Mistake(
        "uphill",
        "you step *along* the gradient, which points uphill: the loss grows.",
        "in which direction does the loss fall?",
        "subtract.",
        stepped(maximize=True),
    ),
    Mistake(
        "learning rate forgotten",
        "you subtract the whole gradient: the learning rate is missing.",
        "where does lr come into your step?",
        "multiply the gradient by lr.",
        stepped(lr=lambda lr: 1.0),
    ),
    Mistake(
        "divided by the learning rate",
        "you divide by the learning rate: a smaller one then makes larger steps.",
        "what is a step with lr = 0?",
        "multiply.",
        stepped(lr=lambda lr: 1 / lr),
    ),
    Mistake(
        "only the sign",
        "you step by the same amount everywhere, in the direction of the gradient's sign; where the gradient is large, "
        "the step is to be large.",
        "what is the step for a gradient of 2, what for 0.02?",
        "lr times the gradient itself.",
        stepped(change=set_gradient(lambda p: p.grad.sign())),
    ),
    Mistake(
        "gradient normalised",
        "you divide the gradient by its length, so every step is equally long; near the minimum steps are to become "
        "short.",
        "how long is a step where the gradient is nearly 0?",
        "lr times the gradient as it is.",
        stepped(change=set_gradient(lambda p: p.grad / p.grad.norm())),
    ),
    Mistake(
        "relative to the parameter",
        "you change each parameter by a share of itself: the gradient is multiplied by the parameter. Then a "
        "parameter that is 0 stays 0 for ever.",
        "θ − lr · gradient: how often does θ stand in it?",
        "subtract lr times the gradient.",
        stepped(change=set_gradient(lambda p: p.grad * p)),
    ),
    Mistake(
        "nothing changes",
        "the parameters are as before. `p = p - …` gives a *new* tensor the name p; the network's own stays "
        "where it was.",
        "who else knows the new tensor?",
        "change it in place: `p -= …`, p.sub_(…) or p.copy_(…).",
        on_copies,
    ),
    Mistake(
        "only the first",
        "only the first parameter is moved.",
        "how often does your loop run? Is there a return inside it?",
        "every parameter of the list takes a step.",
        stepped(which=lambda ps: ps[:1]),
    ),
    Mistake(
        "gradients kept",
        "the gradients are still there after the step: backward() adds to them, so the next step would go along the "
        "sum of both.",
        "what does .grad hold when the next batch begins?",
        "set it to None, or to 0, at the end.",
        stepped(empty=False),
    ),
    Mistake(
        "recorded by autograd",
        "autograd watches your step and refuses it: a parameter that is changed in place, while its history is being "
        "recorded, would have none.",
        "which line above the def has gone, or which block does your step stand in?",
        "@torch.no_grad() above the def.",
        recorded,
    ),
    Mistake(
        "stops at a gradient of None",
        "your step stops at a parameter whose .grad is None: one that the loss did not depend on has none.",
        "what does .grad hold before the first backward()?",
        "pass over parameters whose .grad is None.",
        stops_at_none,
    ),
)

ANSWERS = {
    "activations": Answer(all_five, ACTIVATION_MISTAKES),
    "softmax": Answer(row_softmax, SOFTMAX_MISTAKES),
    "cross_entropy": Answer(lambda logits, y: F.cross_entropy(logits, y), ENTROPY_MISTAKES),
    "sgd_step": Answer(stepped(), STEP_MISTAKES),
}
