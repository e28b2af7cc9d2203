"""Chapter 03's exercises: right answers in several styles pass, what learners really write is called by its name."""

import pytest
import torch
import torch.nn.functional as F
from graded import graded

from utils.checks import judged, yours_or_torch


def stable_sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def five_by_formula(x):
    return {
        "sigmoid": stable_sigmoid(x),
        "tanh": 2 * stable_sigmoid(2 * x) - 1,
        "relu": torch.maximum(torch.zeros_like(x), x),
        "leaky_relu": torch.maximum(0.1 * x, x),
        "elu": torch.where(x >= 0, x, torch.exp(x) - 1),
    }


def five_by_clamp(x):
    up, down = x.clamp(min=0), x.clamp(max=0)
    sigmoid = torch.where(x > 0, 1 / (1 + torch.exp(-up)), torch.exp(down) / (1 + torch.exp(down)))
    decay = torch.exp(-2 * x.abs())
    return {
        "sigmoid": sigmoid,
        "tanh": torch.sign(x) * (1 - decay) / (1 + decay),
        "relu": x * (x > 0),
        "leaky_relu": up + 0.1 * down,
        "elu": up + torch.expm1(down),
    }


def five_in_numpy(x):
    return {name: value.numpy() for name, value in five_by_formula(x).items()}


def softmax_by_max(z):
    e = torch.exp(z - z.max(dim=1, keepdim=True).values)
    return e / e.sum(dim=1, keepdim=True)


def softmax_by_rows(z):
    rows = []
    for row in z:
        powers = [torch.exp(v - max(row)) for v in row]
        rows.append(torch.stack(powers) / sum(powers))
    return torch.stack(rows)


def softmax_by_logsumexp(z):
    return (z - z.logsumexp(1, keepdim=True)).exp()


def softmax_by_differences(z):
    return 1 / torch.exp(z[:, None, :] - z[:, :, None]).sum(2)


def entropy_by_max(logits, y):
    z = logits - logits.amax(1, keepdim=True)
    return (z.exp().sum(1).log() - z[torch.arange(len(y)), y]).mean()


def entropy_by_one_hot(logits, y):
    log_p = logits - logits.logsumexp(1, keepdim=True)
    return -(F.one_hot(y, logits.shape[1]) * log_p).sum() / len(y)


def entropy_by_loop(logits, y):
    total = 0
    for row, label in zip(logits, y, strict=True):
        top = row.max()
        total = total + top + torch.log(torch.exp(row - top).sum()) - row[label]
    return total / len(y)


def entropy_by_differences(logits, y):
    return (logits - logits.gather(1, y[:, None])).logsumexp(1).mean()


@torch.no_grad()
def step_in_place(parameters, lr):
    for p in parameters:
        if p.grad is not None:
            p -= lr * p.grad
            p.grad = None


def step_on_data(parameters, lr):
    for p in (p for p in parameters if p.grad is not None):
        p.data = p.data - lr * p.grad
        p.grad.zero_()


def step_by_copy(parameters, lr):
    with torch.no_grad():
        for p in parameters:
            if p.grad is not None:
                p.copy_(torch.add(p, p.grad, alpha=-lr))
            p.grad = None


class Multiply:
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        return [dz * self.y, dz * self.x]


class Add:
    def forward(self, x, y):
        return x + y

    def backward(self, dz):
        return dz, dz


class Max:
    def forward(self, x, y):
        self.mask = (x > y).double()
        return torch.maximum(x, y)

    def backward(self, dz):
        return [dz * self.mask, dz * (1 - self.mask)]


class MaxByWhere:
    def forward(self, x, y):
        self.first = x > y
        return torch.where(self.first, x, y)

    def backward(self, dz):
        nothing = torch.zeros_like(dz)
        return torch.where(self.first, dz, nothing), torch.where(self.first, nothing, dz)


class ReLU:
    def forward(self, x):
        self.x = x
        return x.clamp(min=0)

    def backward(self, dz):
        dx = dz.clone()
        dx[self.x < 0] = 0
        return dx


class ReLUByOutput:
    def forward(self, x):
        self.z = torch.relu(x)
        return self.z

    def backward(self, dz):
        return [dz * torch.sign(self.z)]


class Sigmoid:
    def forward(self, x):
        self.z = 1 / (1 + torch.exp(-x))
        return self.z

    def backward(self, dz):
        return self.z * (1 - self.z) * dz


STYLES = {
    "activations": [five_by_formula, five_by_clamp, five_in_numpy],
    "softmax": [softmax_by_max, softmax_by_rows, softmax_by_logsumexp, softmax_by_differences],
    "cross_entropy": [entropy_by_max, entropy_by_one_hot, entropy_by_loop, entropy_by_differences],
    "sgd_step": [step_in_place, step_on_data, step_by_copy],
    "multiply_gate": [Multiply],
    "add_gate": [Add],
    "max_gate": [Max, MaxByWhere],
    "relu_gate": [ReLU, ReLUByOutput],
    "sigmoid_gate": [Sigmoid],
}


@pytest.mark.parametrize("name, style", [(name, style) for name, styles in STYLES.items() for style in styles])
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("seed", [1, 2])
def test_correct_styles_pass_with_wider_cases(name, seed):
    for style in STYLES[name]:
        graded(name, style, seed)


# ── As learners write them: the misconception is recognised in code that the catalogue was not made from ─────────────


def softmax_naive(z):
    e = torch.exp(z)
    return e / e.sum(1, keepdim=True)


def softmax_wrong_max(z):
    e = torch.exp(z - z.max())
    return e / e.sum(1, keepdim=True)


def softmax_without_keepdim(z):
    e = torch.exp(z - z.amax(1, keepdim=True))
    return e / e.sum(1)


def entropy_of_softmax(logits, y):
    return -torch.log(softmax_by_max(logits)[torch.arange(len(y)), y]).mean()


def entropy_naive(logits, y):
    return -torch.log(softmax_naive(logits)[torch.arange(len(y)), y]).mean()


def entropy_sum_of_powers(logits, y):
    return (torch.log(torch.exp(logits).sum(1)) - logits[torch.arange(len(y)), y]).mean()


def entropy_mean_of_table(logits, y):
    return -(F.one_hot(y, logits.shape[1]) * F.log_softmax(logits, 1)).mean()


def entropy_every_pair(logits, y):
    return -F.log_softmax(logits, 1)[:, y].mean()


@torch.no_grad()
def step_renames(parameters, lr):
    for p in parameters:
        if p.grad is not None:
            p = p - lr * p.grad
    for p in parameters:
        p.grad = None


def step_recorded(parameters, lr):
    for p in parameters:
        p -= lr * p.grad


@torch.no_grad()
def step_trusts_every_gradient(parameters, lr):
    for p in parameters:
        p -= lr * p.grad
        p.grad = None


@torch.no_grad()
def step_forgets_to_empty(parameters, lr):
    for p in parameters:
        if p.grad is not None:
            p -= lr * p.grad


class SigmoidOfX(Sigmoid):
    def backward(self, dz):
        z = torch.sigmoid(self.z)
        return z * (1 - z) * dz


class ReLUByUpstream(ReLU):
    def backward(self, dz):
        return dz * (dz > 0)


class MultiplyWithoutUpstream(Multiply):
    def backward(self, dz):
        return [self.y, self.x]


class KeepsTheFirst(Multiply):
    def forward(self, x, y):
        if not hasattr(self, "x"):
            self.x, self.y = x, y
        return x * y


@pytest.mark.parametrize(
    "name, target, mistake",
    [
        ("softmax", softmax_naive, "overflow"),
        ("softmax", softmax_wrong_max, "one maximum for the whole batch"),
        ("cross_entropy", entropy_of_softmax, "logarithm of 0"),
        ("cross_entropy", entropy_naive, "overflow"),
        ("cross_entropy", entropy_sum_of_powers, "the sum overflows"),
        ("cross_entropy", entropy_mean_of_table, "divided by the classes, too"),
        ("cross_entropy", entropy_every_pair, "every row with every label"),
        ("sgd_step", step_renames, "nothing changes"),
        ("sgd_step", step_recorded, "recorded by autograd"),
        ("sgd_step", step_trusts_every_gradient, "stops at a gradient of None"),
        ("sgd_step", step_forgets_to_empty, "gradients kept"),
        ("sigmoid_gate", SigmoidOfX, "sigmoid twice"),
        ("relu_gate", ReLUByUpstream, "decided by what arrives"),
        ("multiply_gate", MultiplyWithoutUpstream, "what arrives is forgotten"),
        ("multiply_gate", KeepsTheFirst, "remembers the first inputs"),
    ],
)
def test_a_misconception_is_recognised_in_code(name, target, mistake):
    report = judged(name, target)
    assert not report.verdict.right
    assert report.verdict.mistake is not None, report.text
    assert report.verdict.mistake.name == mistake


@pytest.mark.parametrize(
    "name, target, says",
    [
        ("activations", stable_sigmoid, "a dict is wanted"),
        ("activations", lambda x: {"sigmoid": stable_sigmoid(x)}, "the dict lacks"),
        ("activations", lambda x: five_by_formula(x.mul_(2)), "x is changed in place"),
        ("softmax", softmax_without_keepdim, "error"),
        ("softmax", lambda z: None, "nothing comes back"),
        ("cross_entropy", lambda logits, y: F.cross_entropy(logits, y, reduction="none"), "one number is wanted"),
        ("cross_entropy", lambda logits, y: F.cross_entropy(logits, y).item(), "autograd"),
        ("sgd_step", lambda parameters, lr: step_in_place(parameters, 2 * lr), "has wrong values"),
        ("multiply_gate", lambda: Add().forward, "needs a method forward"),
        ("multiply_gate", type("Half", (Multiply,), {"backward": lambda self, dz: [dz]}), "returns 1 gradient"),
        ("add_gate", type("Silent", (Add,), {"backward": lambda self, dz: None}), "nothing comes back"),
    ],
)
def test_other_faults_have_sentences_of_their_own(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text


def test_an_open_exercise_is_not_done_yet_and_torch_takes_its_place():
    def open_exercise(*args):
        raise NotImplementedError

    class OpenGate:
        def forward(self, *inputs):
            raise NotImplementedError

        backward = forward

    for name in STYLES:
        assert not judged(name, OpenGate if name.endswith("gate") else open_exercise).verdict.done
    gate = yours_or_torch("multiply_gate", OpenGate)()
    assert gate.forward(torch.tensor(3.0), torch.tensor(-4.0)) == -12
    assert [float(g) for g in gate.backward(torch.tensor(2.0))] == [-8, 6]
    p = torch.tensor([1.0, 2.0], requires_grad=True)
    (p**2).sum().backward()
    yours_or_torch("sgd_step", open_exercise)(iter([p]), 0.1)  # as net.parameters() gives them
    assert torch.allclose(p, torch.tensor([0.8, 1.6])) and (p.grad is None or not p.grad.any())
    loss = yours_or_torch("cross_entropy", open_exercise)(torch.tensor([[0.0, 1000.0]]), torch.tensor([0]))
    assert loss == 1000
