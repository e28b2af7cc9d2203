"""Chapter 10's attacks: Captum's own, and how learners go wrong."""

import warnings

import torch
import torch.nn.functional as F
from captum.robust import FGSM, PGD

from utils.checks.answer import Answer, Mistake

# ── what Captum says, bent ───────────────────────────────────────────────────────────────────────────────────────────


def cross_entropy(logits, y):
    """Summed, (1,): the sign of the gradient is that of each picture's own loss."""
    return F.cross_entropy(logits, y, reduction="sum")[None]


def quietly(attack, *given, **settings):
    """Captum warns that it asks for gradients, and takes small ones for zero: here it does neither."""
    getattr(attack, "fgsm", attack).zero_thresh = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return attack.perturb(*given, **settings)


def fast(model, x, y, epsilon, *, loss=cross_entropy, low=0.0, high=1.0, targeted=False):
    """Captum's FGSM."""
    return quietly(FGSM(model, loss, low, high), x, epsilon, y, targeted=targeted)


def projected(model, x, y, epsilon, step, steps, targeted=False, *, loss=cross_entropy, low=0.0, high=1.0, norm="Linf"):
    """Captum's PGD."""
    return quietly(PGD(model, loss, low, high), x, epsilon, step, steps, y, targeted=targeted, norm=norm)


def signs(model, x, y, targeted=False):
    """Where Captum's step leads from each pixel: −1, 0 or 1."""
    return (fast(model, x, y, 1.0, low=-2.0, high=3.0, targeted=targeted) - x).round()


def slopes(model, x, y):
    """The gradient of the mean loss with respect to the pictures."""
    return torch.func.grad(lambda pictures: F.cross_entropy(model(pictures), y))(x)


def within(x, moved, epsilon):
    """`moved`, brought back into the ball around `x` and into [0, 1]."""
    return torch.minimum(torch.maximum(moved, x - epsilon), x + epsilon).clip(0, 1)


def loss_of_probabilities(logits, y):
    return cross_entropy(logits.softmax(1), y)


def minus_the_right_logit(logits, y):
    return -(logits * F.one_hot(y, logits.shape[1])).sum()[None]


def afterwards(attack, harm):
    """The right pictures, and what was done to the model or to the result on the way."""

    def target(model, x, y, *rest, **settings):
        found = attack(model, x, y, *rest, **settings)
        return harm(model, x, y, found)

    return target


def leave_gradients(model, x, y, found):
    F.cross_entropy(model(x), y).backward()
    return found


def remember(model, x, y, found):
    return found + 0 * x.clone().requires_grad_()


def in_training_mode(attack):
    return lambda model, *rest, **settings: attack(model.train(), *rest, **settings)


def move_the_weights(model, x, y, *rest, **settings):
    with torch.enable_grad():
        F.cross_entropy(model(x), y).backward()
    with torch.no_grad():
        for p in model.parameters():
            p += rest[0] * p.grad.sign()
    return x.clone()


# Mistakes that both attacks share: name, what is said, hints; and what becomes of the attack.
def shared(attack):
    return (
        Mistake(
            name="training mode",
            says="your attack puts the network into training mode: batch norm then uses the batch's own statistics, so "
            "you attack a network that nobody uses, and its running statistics change.",
            hint="in which mode does the network classify pictures?",
            stronger="leave the mode alone; whoever calls the attack has chosen it.",
            target=in_training_mode(attack),
        ),
        Mistake(
            name="gradients left in the weights",
            says="your attack leaves gradients in the weights: backward() fills .grad of everything that the loss "
            "depends on, "
            "and the next training step would add them to its own.",
            hint="with respect to what is the gradient wanted?",
            stronger="torch.autograd.grad(loss, x) computes that one gradient and touches no .grad.",
            target=afterwards(attack, leave_gradients),
        ),
        Mistake(
            name="result on the graph",
            says="your pictures still remember how they were computed: every later use drags the graph along, and in a "
            "loop it grows with each step.",
            hint="does your result say requires_grad=True?",
            stronger=".detach() gives the numbers without their history.",
            target=afterwards(attack, remember),
        ),
        Mistake(
            name="unchanged pictures",
            says="the pictures come back as they were: whatever was computed did not get into the result.",
            hint="compare your result with x: where do they differ?",
            stronger="x + something is a new tensor; return that one.",
            target=lambda model, x, y, *rest, **settings: x.clone(),
        ),
        Mistake(
            name="the weights moved",
            says="you move the weights and leave the pictures as they are. That is training, uphill. In an attack the "
            "network is fixed, and the picture changes.",
            hint="which tensor is to require a gradient?",
            stronger="the gradient with respect to x, not with respect to model.parameters().",
            target=move_the_weights,
        ),
    )


# ── fgsm ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

FGSM_MISTAKES = (
    Mistake(
        name="downhill",
        says="you step against the gradient: the loss falls, and the network becomes surer of the right class. An "
        "attack climbs.",
        hint="is the loss to become larger or smaller?",
        stronger="training subtracts the gradient; here it is the other way round.",
        target=lambda *given: fast(*given, targeted=True),
    ),
    Mistake(
        name="gradient instead of its sign",
        says="you add the gradient itself. It is tiny and differs from pixel to pixel; FGSM moves every pixel by the "
        "full "
        "epsilon, up or down.",
        hint="by how much does each pixel move, at most and at least?",
        stronger="only the gradient's sign counts.",
        target=lambda model, x, y, epsilon: (x + epsilon * slopes(model, x, y)).clip(0, 1),
    ),
    Mistake(
        name="not kept within [0, 1]",
        says="some of your pixels are darker than black or lighter than white: no picture has such values.",
        hint="what if a pixel is 1 already and its gradient is positive?",
        stronger="clamp the result to [0, 1].",
        target=lambda *given: fast(*given, low=-9.0, high=9.0),
    ),
    Mistake(
        name="kept within [−1, 1]",
        says="you keep pixels within [−1, 1]; pictures here lie in [0, 1], and the network standardises them itself.",
        hint="what is black here?",
        stronger="the smallest allowed value is 0.",
        target=lambda *given: fast(*given, low=-1.0),
    ),
    Mistake(
        name="epsilon in units of 255",
        says="you divide epsilon by 255. It is in the units of the pictures already, where white is 1.",
        hint="how far does a pixel move for epsilon = 0.1?",
        stronger="use epsilon as it comes.",
        target=lambda model, x, y, epsilon: fast(model, x, y, epsilon / 255),
    ),
    Mistake(
        name="zero counts as a direction",
        says="you move pixels whose gradient is exactly zero. The network does not look at them, and the sign of 0 "
        "is 0.",
        hint="which way should a pixel go on which nothing depends?",
        stronger="torch.sign knows three answers: −1, 0 and 1.",
        target=lambda model, x, y, epsilon: (x + epsilon * signs(model, x, y).sub(0.5).sign()).clip(0, 1),
    ),
    Mistake(
        name="only the change",
        says="you return the change, not the changed picture.",
        hint="what does your result look like as a picture?",
        stronger="add the change to x.",
        target=lambda model, x, y, epsilon: epsilon * signs(model, x, y),
    ),
    Mistake(
        name="the network's answer as label",
        says="you climb the loss of the network's own answer instead of the given label; for pictures that it gets "
        "wrong "
        "these are different directions.",
        hint="what is y for?",
        stronger="give y to the cross-entropy.",
        target=lambda model, x, y, epsilon: fast(model, x, model(x).argmax(1), epsilon),
    ),
    Mistake(
        name="softmax twice",
        says="you apply softmax before the cross-entropy, which applies it once more: this is the gradient of another "
        "loss, and some signs differ.",
        hint="does F.cross_entropy want probabilities or logits?",
        stronger="give it the model's output as it comes.",
        target=lambda *given: fast(*given, loss=loss_of_probabilities),
    ),
    Mistake(
        name="only the right logit",
        says="you only push the right class's logit down. The loss also rises where another class comes up.",
        hint="the loss depends on all logits.",
        stronger="take the gradient of the cross-entropy, not of one logit.",
        target=lambda *given: fast(*given, loss=minus_the_right_logit),
    ),
    Mistake(
        name="one step for all pictures",
        says="you move all pictures of the batch the same way. Each has a gradient of its own.",
        hint="which shape does your gradient have?",
        stronger="no mean over the batch after the gradient.",
        target=lambda model, x, y, epsilon: (x + epsilon * slopes(model, x, y).sum(0).sign()).clip(0, 1),
    ),
    *shared(fast),
)

# ── pgd ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def walked(start=None, forward=None, back=within):
    """An attack as somebody walks it who may have got one thing wrong.

    `forward(model, here, origin, y, step, targeted)` -> where a step leads; `back(origin, there, epsilon)` -> where one
    ends up.
    """

    def target(model, x, y, epsilon, step, steps, targeted=False):
        here = x
        for _ in range(steps):
            there = (forward or onward)(model, here, x, y, step, targeted)
            here = back(x, there, epsilon)
        return here

    return target


def onward(model, here, origin, y, step, targeted):
    return here + step * signs(model, here, y, targeted)


def gradients_added_up(model, x, y, epsilon, step, steps, targeted=False):
    here, total = x, 0
    for _ in range(steps):
        total = total + slopes(model, here, y) * (-1 if targeted else 1)
        here = within(x, here + step * total.sign(), epsilon)
    return here


def brought_back_at_the_end(model, x, y, epsilon, step, steps, targeted=False):
    far = projected(model, x, y, 9.0, step, steps, targeted, low=-9.0, high=9.0)
    return within(x, far, epsilon)


def around_the_last(model, x, y, epsilon, step, steps, targeted=False):
    return projected(model, x, y, 9.0, min(step, epsilon), steps, targeted)


PGD_MISTAKES = (
    Mistake(
        name="downhill",
        says="your steps go the wrong way, with a target and without: without one the loss is to rise, with one it "
        "is to "
        "fall.",
        hint="what is to happen to the loss of y, in either case?",
        stronger="add step · sign where nothing is targeted, subtract it where something is.",
        target=lambda *given, targeted=False: projected(*given, not targeted),
    ),
    Mistake(
        name="targeted steps climb",
        says="with targeted=True you still climb: you lead *away* from the class that y names. Towards it the loss "
        "falls.",
        hint="what does y mean when targeted is True?",
        stronger="turn the step's sign round if targeted.",
        target=lambda *given, targeted=False: projected(*given),
    ),
    Mistake(
        name="always targeted",
        says="you step against the gradient even where nothing is targeted: the network becomes surer of the right "
        "class.",
        hint="which way does the loss of the right class have to go?",
        stronger="only targeted=True subtracts.",
        target=lambda *given, targeted=False: projected(*given, True),
    ),
    Mistake(
        name="no projection",
        says="your pictures end up farther than epsilon from the originals: nothing brings them back.",
        hint="after three steps of 0.16, how far may a pixel be if epsilon is 0.1?",
        stronger="after each step, limit the difference to x to ±epsilon.",
        target=lambda model, x, y, epsilon, step, steps, targeted=False: projected(
            model, x, y, 9.0, step, steps, targeted
        ),
    ),
    Mistake(
        name="ball around the last picture",
        says="you limit each step to epsilon, measured from the *last* picture; so every step leads farther away. The "
        "ball lies around the original.",
        hint="epsilon says how far the result may be from which picture?",
        stronger="keep x as it is, and call the moving picture something else.",
        target=around_the_last,
    ),
    Mistake(
        name="a round ball",
        says="you limit the length of the whole change. Here each *pixel* may change by epsilon, whatever the others "
        "do.",
        hint="what is compared with epsilon: one pixel's change, or the norm of all?",
        stronger="clamp the difference, pixel by pixel.",
        target=lambda *given, targeted=False: projected(*given, targeted, norm="L2"),
    ),
    Mistake(
        name="brought back only at the end",
        says="you bring the picture back only after the last step; meanwhile gradients were taken far outside, where "
        "no "
        "allowed picture is.",
        hint="where is the picture when the second gradient is computed?",
        stronger="both limits belong into the loop.",
        target=brought_back_at_the_end,
    ),
    Mistake(
        name="not kept within [0, 1]",
        says="some of your pixels are darker than black or lighter than white: no picture has such values.",
        hint="what if a pixel is 1 already and its gradient is positive?",
        stronger="clamp to [0, 1] as well, in every step.",
        target=lambda *given, targeted=False: projected(*given, targeted, low=-9.0, high=9.0),
    ),
    Mistake(
        name="always the first gradient",
        says="you take every step along the gradient at the original picture. That is FGSM in small portions: the "
        "gradient "
        "changes on the way.",
        hint="at which picture is the gradient computed in the third step?",
        stronger="compute it anew, at the picture that the last step led to.",
        target=walked(
            forward=lambda model, here, origin, y, step, targeted: here + step * signs(model, origin, y, targeted)
        ),
    ),
    Mistake(
        name="each step from the original",
        says="each of your steps begins at the original picture again, so only the last one is left.",
        hint="how far is the picture after two steps of 0.03?",
        stronger="add the step to the picture that the last step led to.",
        target=walked(
            forward=lambda model, here, origin, y, step, targeted: origin + step * signs(model, here, y, targeted)
        ),
    ),
    Mistake(
        name="gradients add up",
        says="backward() adds to the .grad of the steps before, so old gradients steer new steps.",
        hint="what does .grad hold when the second step begins?",
        stronger="empty .grad after each step, or use torch.autograd.grad, which keeps nothing.",
        target=gradients_added_up,
    ),
    Mistake(
        name="gradient instead of its sign",
        says="you add the gradient itself, which is tiny; each step is to move every pixel by `step`, up or down.",
        hint="by how much does a pixel move in one step?",
        stronger="only the gradient's sign counts.",
        target=walked(
            forward=lambda model, here, origin, y, step, targeted: (
                here + step * slopes(model, here, y) * (-1 if targeted else 1)
            )
        ),
    ),
    Mistake(
        name="step and epsilon swapped",
        says="you walk in steps of epsilon within a ball of size `step`: the two have changed places.",
        hint="which of the two says how far from the original, which how far at a time?",
        stronger="look at the order of the arguments: epsilon, step, steps.",
        target=lambda model, x, y, epsilon, step, steps, targeted=False: projected(
            model, x, y, step, epsilon, steps, targeted
        ),
    ),
    Mistake(
        name="one step only",
        says="you take one step, however many are asked for.",
        hint="is the `return` inside the loop?",
        stronger="return after the loop.",
        target=lambda model, x, y, epsilon, step, steps, targeted=False: projected(
            model, x, y, epsilon, step, 1, targeted
        ),
    ),
    Mistake(
        name="one step too many",
        says="you take one step more than `steps`.",
        hint="count them, for steps=1.",
        stronger="the first step counts, too.",
        target=lambda model, x, y, epsilon, step, steps, targeted=False: projected(
            model, x, y, epsilon, step, steps + 1, targeted
        ),
    ),
    Mistake(
        name="lengths in units of 255",
        says="you divide epsilon and step by 255. They are in the units of the pictures already, where white is 1.",
        hint="how far does a pixel move for step = 0.03?",
        stronger="use both as they come.",
        target=lambda model, x, y, epsilon, step, steps, targeted=False: projected(
            model, x, y, epsilon / 255, step / 255, steps, targeted
        ),
    ),
    *shared(projected),
)

ANSWERS = {
    "fgsm": Answer(fast, FGSM_MISTAKES, tolerance=1e-9),
    "pgd": Answer(projected, PGD_MISTAKES, tolerance=1e-9),
}
