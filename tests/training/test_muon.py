"""Muon against what it promises, with torch's singular values as the judge."""

from copy import deepcopy

import torch
from torch import nn

from utils.training.muon import Muon, orthogonal


def small_net():
    torch.manual_seed(0)
    frozen = nn.Conv2d(3, 4, 2).requires_grad_(False)
    return nn.Sequential(
        frozen,
        nn.Conv2d(4, 6, 3, bias=False),
        nn.BatchNorm2d(6),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 2),
    )


def learn(net, optimizer, steps=1):
    generator = torch.Generator().manual_seed(1)
    x, y = torch.rand(16, 3, 8, 8, generator=generator), torch.arange(16) % 2
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()


def test_orthogonal_keeps_directions_and_evens_strengths():
    torch.manual_seed(0)
    for shape in ((8, 30), (30, 8)):
        u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
        strengths = torch.logspace(0, -1.5, 8)  # from 1 to 0.03
        result = orthogonal(u @ torch.diag(strengths) @ v, steps=5)
        found = u.T @ result @ v.T  # diagonal if the directions are the same
        assert (found - found.diag().diag()).abs().max() < 0.05
        assert found.diag().min() > 0.5
        assert found.diag().max() < 1.3


def test_kernels_turn_and_keep_their_norm():
    net = small_net()
    learn(net, Muon(net, lr=0.01))
    assert abs(net[1].weight.norm().item() - 6**0.5) < 0.3  # norm 1 for each of 6 output maps, then a step of 0.01


def test_what_is_no_kernel_learns_by_nesterov_sgd():
    net, other = small_net(), small_net()
    learn(net, Muon(net, lr=0.0, bias_lr=0.05, classifier_lr=0.3), steps=1)
    rest = [
        {"params": [p for p in other.parameters() if p.requires_grad and p.ndim == 1], "lr": 0.05},
        {"params": [other[5].weight], "lr": 0.3},
    ]
    learn(other, torch.optim.SGD(rest, momentum=0.85, nesterov=True), steps=1)
    for mine, theirs in zip(net[2:].parameters(), other[2:].parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


def test_what_is_frozen_stays_and_the_loss_falls():
    net = small_net()
    before, optimizer = net[0].weight.clone(), Muon(net, lr=0.05, bias_lr=0.05, classifier_lr=0.1)
    first = learn(net, optimizer)
    assert learn(net, optimizer, steps=30) < first - 0.05
    assert torch.equal(net[0].weight, before)


def test_its_state_goes_through_a_checkpoint():
    net, other = small_net(), small_net()
    one, two = Muon(net), Muon(other)
    learn(net, one, steps=3)
    other.load_state_dict(net.state_dict())
    two.load_state_dict(deepcopy(one.state_dict()))
    assert learn(net, one, steps=3) == learn(other, two, steps=3)
