"""Chapter 10's attacks and its one number: right answers in several styles pass, what is wrong otherwise fails."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.checks import judged, yours_or_torch


def fgsm_plainly(model, x, y, epsilon):
    x = x.clone().requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(x), y), x)[0]
    return (x + epsilon * gradient.sign()).clamp(0, 1).detach()


def fgsm_by_backward(model, x, y, epsilon):
    """As the tutorials do it; the gradients in the weights are emptied afterwards."""
    attacked = x.detach().clone()
    attacked.requires_grad = True
    model.eval()
    nn.CrossEntropyLoss()(model(attacked), y).backward()
    model.zero_grad()
    with torch.no_grad():
        return torch.clip(attacked + epsilon * torch.sign(attacked.grad), 0, 1)


def fgsm_zeroed(model, x, y, epsilon):
    """Gradients in the weights set to zeros, the loss summed, pictures one after the other."""
    found = []
    for picture, label in zip(x, y, strict=True):
        picture = picture[None].clone().requires_grad_()
        (-model(picture).log_softmax(1)[0, label]).backward()
        found.append((picture + epsilon * picture.grad.sign()).clamp(0, 1).detach())
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    return torch.cat(found)


def fgsm_as_an_array(model, x, y, epsilon):
    gradient = torch.func.grad(lambda x: F.cross_entropy(model(x), y, reduction="sum"))(x)
    return (x + epsilon * gradient.sign()).clamp(0, 1).detach().numpy()


def pgd_plainly(model, x, y, epsilon, step, steps, targeted=False):
    now = x.clone()
    for _ in range(steps):
        now.requires_grad_()
        loss = F.cross_entropy(model(now), y)
        gradient = torch.autograd.grad(-loss if targeted else loss, now)[0]
        now = now.detach() + step * gradient.sign()
        now = torch.clamp(now, x - epsilon, x + epsilon).clamp(0, 1)
    return now


def pgd_by_the_change(model, x, y, epsilon, step, steps, targeted=False):
    change = torch.zeros_like(x, requires_grad=True)
    for _ in range(steps):
        gradient = torch.autograd.grad(F.cross_entropy(model(x + change), y, reduction="sum"), change)[0]
        with torch.no_grad():
            change += (-step if targeted else step) * gradient.sign()
            change.clamp_(-epsilon, epsilon)
            change.copy_((x + change).clamp(0, 1) - x)
    return (x + change).detach()


def pgd_by_limits(model, x, y, epsilon, step, steps, targeted=False):
    low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
    now = x
    for _ in range(steps):
        now = now.detach().requires_grad_()
        model.zero_grad()
        F.cross_entropy(model(now), y).backward()
        now = now.data - step * now.grad.sign() if targeted else now.data + step * now.grad.sign()
        now = torch.max(torch.min(now, high), low)
    model.zero_grad()
    return now


def mce_by_loop(errors, reference):
    ratios = [sum(mine) / sum(theirs) for mine, theirs in zip(errors.tolist(), reference.tolist(), strict=True)]
    return sum(ratios) / len(ratios)


def mce_by_means(errors, reference):
    return torch.mean(errors.mean(1) / reference.mean(1))


STYLES = {
    "fgsm": [fgsm_plainly, fgsm_by_backward, fgsm_zeroed, fgsm_as_an_array],
    "pgd": [pgd_plainly, pgd_by_the_change, pgd_by_limits],
    "mean_corruption_error": [mce_by_loop, mce_by_means],
}


@pytest.mark.parametrize(("name", "style"), [(name, style) for name, styles in STYLES.items() for style in styles])
def test_correct_styles_pass(name, style):
    report = judged(name, style)
    assert report.verdict.right, report.text


def random_start(model, x, y, epsilon, step, steps, targeted=False):
    near = (x + epsilon * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
    moved = pgd_plainly(model, near, y, 2 * epsilon, step, steps, targeted)
    return moved.clamp(x - epsilon, x + epsilon)


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("fgsm", lambda model, x, y, epsilon: None, "nothing comes back"),
        ("fgsm", lambda model, x, y, epsilon: x, "come back as they were"),
        ("fgsm", lambda model, x, y, epsilon: fgsm_plainly(model, x, y, epsilon)[0], "shape"),
        ("fgsm", lambda model, x, y, epsilon: x.clamp_(0.5, 0.55), "the pictures is changed in place"),
        ("fgsm", lambda model, x, y, epsilon: fgsm_plainly(model, x, y, 0.99 * epsilon), "wrong values"),
        ("pgd", random_start, "begin at x itself, not at random"),
        ("pgd", lambda *given, targeted=False: pgd_plainly(*given[:5], steps=2, targeted=targeted), "one step more"),
        ("pgd", lambda model, x, y, epsilon, step, steps: pgd_plainly(model, x, y, epsilon, step, steps), "targeted"),
        ("mean_corruption_error", lambda errors, reference: errors, "numbers; one is wanted"),
    ],
)
def test_what_is_wrong_is_said(name, target, says):
    report = judged(name, target)
    assert not report.verdict.right
    assert says in report.text


def test_in_place_of_an_open_exercise_captum_attacks_a_network_in_float32():
    def fgsm(model, x, y, epsilon):
        raise NotImplementedError

    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 5)).requires_grad_(False)
    x, y = torch.rand(6, 3, 4, 4), torch.arange(6) % 5
    attacked = yours_or_torch("fgsm", fgsm)(model, x, y, 0.1)
    assert torch.allclose(attacked, fgsm_plainly(model, x, y, 0.1), atol=1e-6)
    attacked = yours_or_torch("pgd", fgsm)(model, x, y, 0.1, 0.04, steps=4, targeted=True)
    assert torch.allclose(attacked, pgd_plainly(model, x, y, 0.1, 0.04, 4, True), atol=1e-6)
    assert not attacked.requires_grad and not x.requires_grad


def test_tiny_gradients_count_in_place_of_an_open_exercise():
    """Captum takes gradients below 10⁻⁶ for zero; a network that is sure of itself has no others."""

    def fgsm(model, x, y, epsilon):
        raise NotImplementedError

    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    with torch.no_grad():
        model[1].weight.mul_(1e-6)
    x, y = torch.rand(2, 3, 4, 4) / 2 + 0.25, torch.tensor([0, 1])
    assert ((yours_or_torch("fgsm", fgsm)(model, x, y, 0.1) - x).abs() > 0.09).all()
