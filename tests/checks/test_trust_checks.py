"""Chapter 10's exercises on groups and trust: right answers in several styles pass, other wrong ones fail."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from utils.checks import judged, yours_or_torch


def accuracy_by_mean(predicted, y, group):
    right = (predicted == y).double()
    return torch.stack([right[group == g].mean() for g in range(int(group.max()) + 1)])


def accuracy_by_bincount(predicted, y, group):
    return torch.bincount(group, weights=(predicted == y).double()) / torch.bincount(group)


def accuracy_in_a_list(predicted, y, group):
    pairs = list(zip((predicted == y).tolist(), group.tolist(), strict=True))
    return [np.mean([right for right, g in pairs if g == k]) for k in sorted(set(group.tolist()))]


def weights_by_bincount(group):
    weight = 1 / torch.bincount(group)[group].double()
    return weight / weight.mean()


def weights_in_float32_by_loop(group):
    n, occurring = len(group), len(set(group.tolist()))
    return torch.tensor([n / (occurring * sum(h == g for h in group.tolist())) for g in group.tolist()])


def weights_by_unique(group):
    _, place, counts = group.unique(return_inverse=True, return_counts=True)
    return (len(group) / (len(counts) * counts.double()))[place]


def saliency_by_grad(net, x, label):
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net(x).gather(1, label[:, None]).sum(), x)
    return gradient.abs().amax(1)


def saliency_by_backward(net, x, label):
    x = x.detach().clone().requires_grad_(True)
    net(x)[torch.arange(len(x)), label].sum().backward()
    return x.grad.abs().max(dim=1).values


def saliency_one_by_one(net, x, label):
    return torch.cat([saliency_by_backward(net, x[i : i + 1], label[i : i + 1]) for i in range(len(x))])


def error_by_loop(confidence, right, bins=10):
    error = 0.0
    for b in range(bins):
        inside = (confidence >= b / bins) & (confidence < (b + 1) / bins)
        if inside.any():
            error += float(inside.double().mean() * (right[inside].double().mean() - confidence[inside].mean()).abs())
    return error


def error_by_bincount(confidence, right, bins):
    place = (confidence * bins).long()
    gaps = torch.bincount(place, weights=right.double() - confidence)
    return gaps.abs().sum() / len(confidence)


def error_by_bucketize(confidence, right, bins):
    place = torch.bucketize(confidence, torch.linspace(0, 1, bins + 1)[1:-1].double())
    found = [(right[place == b].double() - confidence[place == b]).sum().abs() for b in place.unique()]
    return torch.stack(found).sum() / len(right)


def temperature_from_a_list(logits, y):
    temperatures = torch.logspace(-1, 1, 500)
    return temperatures[torch.stack([F.cross_entropy(logits / t, y) for t in temperatures]).argmin()].item()


def temperature_by_lbfgs(logits, y):
    log = torch.zeros((), dtype=logits.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([log], max_iter=60)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits / log.exp(), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    return log.exp()


def temperature_by_adam(logits, y):
    temperature = torch.ones(1, dtype=logits.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([temperature], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        F.nll_loss((logits / temperature).log_softmax(1), y).backward()
        optimizer.step()
    return temperature


STYLES = {
    "group_accuracy": [accuracy_by_mean, accuracy_by_bincount, accuracy_in_a_list],
    "group_weights": [weights_by_bincount, weights_in_float32_by_loop, weights_by_unique],
    "saliency": [saliency_by_grad, saliency_by_backward, saliency_one_by_one],
    "calibration_error": [error_by_loop, error_by_bincount, error_by_bucketize],
    "fit_temperature": [temperature_from_a_list, temperature_by_lbfgs, temperature_by_adam],
}


@pytest.mark.parametrize("name, style", [(name, style) for name, styles in STYLES.items() for style in styles])
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


@pytest.mark.parametrize(
    "name, target",
    [
        ("group_accuracy", lambda p, y, g: accuracy_by_mean(p, y, g).flip(0)),
        ("group_accuracy", lambda p, y, g: None),
        ("group_accuracy", lambda p, y, g: accuracy_by_mean(p, y, g).round(decimals=1)),
        ("group_weights", lambda group: weights_by_bincount(group.zero_())),
        ("group_weights", lambda group: torch.ones(len(group))),
        ("group_weights", lambda group: weights_by_bincount(group).flip(0)),
        ("saliency", lambda net, x, label: saliency_by_grad(net, x, label).mT),
        ("saliency", lambda net, x, label: saliency_by_grad(net, x, label) / saliency_by_grad(net, x, label).max()),
        ("calibration_error", lambda c, r, bins: error_by_loop(c, r, 15)),
        ("calibration_error", lambda c, r, bins: error_by_loop(c, r, bins) ** 0.5),
        ("fit_temperature", lambda logits, y: 1.1 * temperature_by_lbfgs(logits, y)),
        ("fit_temperature", lambda logits, y: torch.ones(logits.shape[1])),
        ("fit_temperature", lambda logits, y: temperature_by_lbfgs(logits.mul_(2), y)),
    ],
)
def test_what_is_wrong_in_another_way_fails(name, target):
    assert not judged(name, target).verdict.right


def test_in_place_of_open_exercises_the_course_goes_on_with_its_own():
    def open_exercise(*given):
        raise NotImplementedError

    theirs = {name: yours_or_torch(name, open_exercise) for name in STYLES}
    y, group = torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1])
    assert theirs["group_accuracy"](torch.tensor([0, 0, 1]), y, group).tolist() == [0.5, 1]
    assert theirs["group_weights"](group).tolist() == [0.75, 0.75, 1.5]
    confidence, right = torch.tensor([0.9, 0.9, 0.5, 0.5]), torch.tensor([True, False, True, False])
    assert float(theirs["calibration_error"](confidence, right, 10)) == pytest.approx(0.2)
    four = torch.tensor([[4.0, 0.0]] * 4)
    assert float(theirs["fit_temperature"](four, torch.tensor([0, 0, 0, 1]))) == pytest.approx(3.64, abs=0.01)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))
    assert theirs["saliency"](net, torch.rand(3, 3, 2, 2), y).shape == (3, 2, 2)
