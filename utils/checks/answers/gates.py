"""What autograd says about chapter 03's gates, and how learners go wrong there."""

from __future__ import annotations

import torch

from utils.checks.answer import Answer, Mistake


def gate(function, bend=lambda g, dz, x: g, result=lambda z, x: z):
    """A gate that lets autograd do the work; `bend(gradients, dz, inputs)` and `result(z, inputs)` may spoil it."""

    class Gate:
        def forward(self, *inputs):
            self.inputs = [value.clone().requires_grad_() for value in inputs]
            self.z = function(*self.inputs)
            return result(self.z.detach(), inputs)

        def backward(self, dz):
            gradients = torch.autograd.grad(self.z, self.inputs, dz)
            given = [value.detach() for value in self.inputs]
            bent = bend(list(gradients), dz, given)
            return bent if len(bent) > 1 else bent[0]

    return Gate


def first_only(function):
    """A gate that goes on using what it saw first."""

    class Remembers(gate(function)):
        def forward(self, *inputs):
            z = super().forward(*inputs)
            self.first = getattr(self, "first", self.inputs)
            return z

        def backward(self, dz):
            gradients = torch.autograd.grad(function(*self.first), self.first, dz)
            return list(gradients) if len(gradients) > 1 else gradients[0]

    return Remembers


def without_upstream(function):
    """The local gradients, whatever arrives."""

    class Local(gate(function)):
        def backward(self, dz):
            return super().backward(torch.ones_like(dz))

    return Local


def nothing_arrives(function, says: str) -> Mistake:
    """dz forgotten: it can go wrong with any gate."""
    return Mistake(
        "what arrives is forgotten",
        "you return the local gradients; each is to be multiplied by dz, the gradient that arrives at the output. "
        "That product is the chain rule.",
        "what if dz is 0, so that the loss does not depend on this gate at all?",
        f"multiply by dz: {says}",
        without_upstream(function),
    )


def old_inputs(function) -> Mistake:
    """What an earlier use left behind: it can go wrong with any gate that has something to remember."""
    return Mistake(
        "remembers the first inputs",
        "when the gate is used a second time, backward still works with the inputs of the first: forward has to "
        "store them anew each time.",
        "run forward twice with other numbers, then backward.",
        "assign to self in every forward, without an `if`.",
        first_only(function),
    )


MULTIPLY = (
    nothing_arrives(torch.mul, "the same for both inputs."),
    old_inputs(torch.mul),
    Mistake(
        "not exchanged",
        "you give each input its own value; the slope of x·y along x is y. A multiply gate *exchanges* its inputs.",
        "raise x from 3 to 4 in x·5. By how much does the product grow?",
        "dx needs the other one.",
        gate(torch.mul, lambda g, dz, x: [g[1], g[0]]),
    ),
    Mistake(
        "the product handed on",
        "you multiply what arrives by the output x·y; only the *other* input belongs there.",
        "what is the derivative of x·5 with respect to x?",
        "leave the own input out.",
        gate(torch.mul, lambda g, dz, x: [g[0] * x[0], g[1] * x[1]]),
    ),
    Mistake(
        "handed on as by a sum",
        "you hand dz on unchanged: that is what an add gate does.",
        "raise x from 3 to 4 in x·5. By how much does the product grow?",
        "the slope along x is y.",
        gate(torch.mul, lambda g, dz, x: [dz, dz]),
    ),
)

ADD = (
    nothing_arrives(torch.add, "here nothing else is left."),
    Mistake(
        "shared between the inputs",
        "you divide what arrives between the inputs; each gets all of it, for raising either by 1 raises the sum by 1.",
        "raise x from 3 to 4 in x + 5. By how much does the sum grow?",
        "both get dz.",
        gate(torch.add, lambda g, dz, x: [g[0] / 2, g[1] / 2]),
    ),
    Mistake(
        "exchanged as by a product",
        "you multiply by the other input: that is what a multiply gate does. The slope of a sum is 1 along both.",
        "raise x from 3 to 4 in x + 5. By how much does the sum grow?",
        "no input stands in the result.",
        gate(torch.add, lambda g, dz, x: [g[0] * x[1], g[1] * x[0]]),
    ),
    Mistake(
        "the inputs handed on",
        "you multiply dz by the inputs; the slope of a sum is 1 along both, whatever they are.",
        "raise x from 3 to 4 in x + 5. By how much does the sum grow?",
        "no input stands in the result.",
        gate(torch.add, lambda g, dz, x: [g[0] * x[0], g[1] * x[1]]),
    ),
    Mistake(
        "sign of the second",
        "the second input gets −dz: that is a difference, not a sum.",
        "raise y from 5 to 6 in 3 + y. By how much does the sum grow?",
        "both get the same.",
        gate(torch.add, lambda g, dz, x: [g[0], -g[1]]),
    ),
)

MAX = (
    nothing_arrives(torch.maximum, "the winner gets dz, the other 0."),
    old_inputs(torch.maximum),
    Mistake(
        "both get it",
        "you hand dz to both; the smaller input does not matter to the maximum, so its gradient is 0.",
        "raise y from 1 to 1.1 in max(3, y). What happens?",
        "remember in forward which one was larger.",
        gate(torch.maximum, lambda g, dz, x: [dz, dz]),
    ),
    Mistake(
        "the smaller one gets it",
        "you hand dz to the *smaller* input: a max gate sends it to the larger one.",
        "raise x from 3 to 3.1 in max(x, 1). What happens?",
        "turn the comparison round.",
        gate(torch.maximum, lambda g, dz, x: [g[1], g[0]]),
    ),
    Mistake(
        "half for each",
        "you share dz between both; a max gate sends all of it one way.",
        "raise the smaller one a little. What happens to the maximum?",
        "one gets all, the other 0.",
        gate(torch.maximum, lambda g, dz, x: [dz / 2, dz / 2]),
    ),
    Mistake(
        "the winner's value handed on",
        "you multiply by the value of the winner; the slope of max along the larger input is 1, whatever it is.",
        "raise x from 3 to 4 in max(x, 1). By how much does the maximum grow?",
        "a mask of zeros and ones is multiplied by dz, nothing else.",
        gate(torch.maximum, lambda g, dz, x: [g[0] * x[0], g[1] * x[1]]),
    ),
    Mistake(
        "the smaller comes out",
        "your forward gives the smaller input.",
        "what is max(3, 1)?",
        "torch.maximum compares number by number.",
        gate(torch.minimum),
    ),
)

RELU = (
    nothing_arrives(torch.relu, "where x is positive, dz passes."),
    old_inputs(torch.relu),
    Mistake(
        "everything passes",
        "you hand dz on everywhere; where x was negative the output was 0 whatever x did, so nothing passes there.",
        "raise x from −2 to −1.9. What happens to max(0, x)?",
        "remember in forward where x was positive.",
        gate(torch.relu, lambda g, dz, x: [dz]),
    ),
    Mistake(
        "decided by what arrives",
        "you let dz pass where *dz* is positive; what counts is where the input x was.",
        "x = 2 and dz = −3: which gradient arrives at x?",
        "the mask comes from forward, not from dz.",
        gate(torch.relu, lambda g, dz, x: [torch.relu(dz)]),
    ),
    Mistake(
        "x handed on",
        "you multiply dz by x; the slope of ReLU on the right is 1.",
        "raise x from 3 to 4. By how much does max(0, x) grow?",
        "a mask of zeros and ones is multiplied by dz, nothing else.",
        gate(torch.relu, lambda g, dz, x: [g[0] * x[0]]),
    ),
    Mistake(
        "the wrong half",
        "dz passes where x is negative: the mask is turned round.",
        "raise x from −2 to −1.9. What happens to max(0, x)?",
        "turn the comparison round.",
        gate(torch.relu, lambda g, dz, x: [dz - g[0]]),
    ),
    Mistake(
        "folded instead of cut",
        "your forward folds negative numbers up, like |x|; ReLU makes them 0.",
        "what is max(0, −2)?",
        "every negative number becomes the same.",
        gate(torch.abs, lambda g, dz, x: [g[0] * (x[0] > 0)]),
    ),
)


def slope_at(value):
    """dz·v·(1 − v), where v is not the sigmoid of x but something else."""
    return lambda g, dz, x: [dz * (value(x[0]) - value(x[0]) ** 2)]


SIGMOID = (
    nothing_arrives(torch.sigmoid, "σ(x)·(1 − σ(x))·dz."),
    old_inputs(torch.sigmoid),
    Mistake(
        "x in place of σ(x)",
        "you compute x·(1 − x); the slope is σ(x)·(1 − σ(x)), with the *output* in both places.",
        "the slope at 0 is 1/4. What is yours?",
        "store the output in forward, not the input.",
        gate(torch.sigmoid, slope_at(lambda x: x)),
    ),
    Mistake(
        "sigmoid twice",
        "you take the sigmoid of what is the sigmoid already: σ(σ(x)).",
        "what did you store in forward, the input or the output?",
        "use the stored output as it is.",
        gate(torch.sigmoid, slope_at(lambda x: torch.sigmoid(torch.sigmoid(x)))),
    ),
    Mistake(
        "one factor only",
        "you hand on σ(x)·dz; the factor 1 − σ(x) is missing.",
        "the slope at 0 is 1/4. What is yours?",
        "two factors: σ(x), and what it lacks to 1.",
        gate(torch.sigmoid, lambda g, dz, x: [dz * torch.sigmoid(x[0])]),
    ),
    Mistake(
        "slope of tanh",
        "1 minus the square of the output is the slope of tanh, not of the sigmoid.",
        "the slope at 0 is 1/4. What is yours?",
        "σ(x)·(1 − σ(x)).",
        gate(torch.sigmoid, lambda g, dz, x: [dz - dz * torch.sigmoid(x[0]) ** 2]),
    ),
    Mistake(
        "mirrored",
        "your forward falls with x: the exponent has lost its minus sign.",
        "what is sigmoid(1000)?",
        "1/(1 + e^(−x)).",
        gate(lambda x: torch.sigmoid(-x), lambda g, dz, x: [-g[0]]),
    ),
)

ANSWERS = {
    "multiply_gate": Answer(gate(torch.mul), MULTIPLY),
    "add_gate": Answer(gate(torch.add), ADD),
    "max_gate": Answer(gate(torch.maximum), MAX),
    "relu_gate": Answer(gate(torch.relu), RELU),
    "sigmoid_gate": Answer(gate(torch.sigmoid), SIGMOID),
}
