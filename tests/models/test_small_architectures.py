"""Chapter 07's networks: their blocks are the papers', they cost what they should, they can be looked into."""

from functools import partial

import pytest
import torch
from torch import nn

from utils import models


@pytest.mark.parametrize("name", models.FAMILY)
@pytest.mark.parametrize("classes", [10, 3])
def test_every_network_gives_logits_and_uses_all_its_parameters(name, classes):
    net = models.FAMILY[name](classes=classes).eval()
    y = net(torch.rand(2, 3, 32, 32))
    assert y.shape == (2, classes)
    y.sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_inception_has_a_kernel_of_five_and_no_batch_norm():
    block = models.inception(192, 64, 96, 128, 16, 32, 32)
    kinds = [(m.in_channels, m.out_channels, m.kernel_size) for m in block.modules() if isinstance(m, nn.Conv2d)]
    assert (16, 32, (5, 5)) in kinds and (96, 128, (3, 3)) in kinds and len(kinds) == 6
    assert not any(isinstance(m, nn.BatchNorm2d) for m in block.modules())
    assert block(torch.rand(1, 192, 5, 7)).shape == (1, 256, 5, 7)


def test_without_convolutions_a_residual_block_passes_on_and_a_plain_one_does_not():
    x = torch.randn(2, 4, 5, 6)
    for make, passes in ((models.residual, True), (models.plain, False)):
        block = make(4, 4).eval()
        for part in block.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.zeros_(part.weight)
        assert torch.equal(block(x), x.relu()) == passes


@pytest.mark.parametrize("make", [models.residual, models.plain])
def test_blocks_change_shapes_and_can_do_without_batch_norm(make):
    block = make(4, 6, 2, batch_norm=False)
    assert block(torch.rand(1, 4, 9, 8)).shape == (1, 6, 5, 4)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in block.modules())
    assert any(isinstance(part, nn.BatchNorm2d) for part in make(4, 6, 2).modules())


@pytest.mark.parametrize("depth", [4, 20, 56])
def test_deep_has_as_many_layers_as_it_says_and_a_shortcut_costs_nothing(depth):
    plain, residual = (models.deep(depth, block) for block in (models.plain, models.residual))
    for net in (plain, residual):
        assert sum(isinstance(part, nn.Conv2d | nn.Linear) for part in net.modules()) == depth
    assert models.count(plain) == models.count(residual)


@pytest.mark.parametrize("depth", [2, 7])
def test_depths_that_cannot_be_are_refused(depth):
    with pytest.raises(ValueError, match="an even number from 4 on"):
        models.deep(depth)


def test_networks_take_blocks_of_ones_own():
    made = []

    def block(*settings):
        made.append(settings)
        return models.residual(*settings)

    net = models.SmallResNet(blocks=(1, 2), widths=(4, 8), block=block)
    assert made == [(4, 4, 1), (4, 8, 2), (8, 8, 1)] and net.fc.in_features == 8
    assert net(torch.rand(1, 3, 32, 32)).shape == (1, 10)


# ── Counting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_multiply_adds_are_counted_also_on_meta_and_the_mode_stays():
    conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    assert models.multiply_adds(conv, (3, 8, 6)) == 4 * 3 * 8 * 27
    net = nn.Sequential(conv, nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 12, 5)).train()
    assert models.multiply_adds(net, (3, 8, 6)) == 4 * 3 * 8 * 27 + 96 * 5
    assert net.training and net[1].num_batches_tracked == 0
    assert models.multiply_adds(net.to("meta"), (3, 8, 6)) == 4 * 3 * 8 * 27 + 96 * 5


def test_torchvision_publishes_the_same_number():
    from torchvision.models import ResNet18_Weights, resnet18

    with torch.device("meta"):
        net = resnet18()
    meta = ResNet18_Weights.IMAGENET1K_V1.meta
    assert round(models.multiply_adds(net, (3, 224, 224)) / 1e9, 3) == meta["_ops"]
    assert models.count(net) == meta["num_params"]


# ── Gradients ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_gradient_norms_are_autograds_and_leave_the_network_alone():
    torch.manual_seed(0)
    net, x, y = models.deep(8).eval(), torch.rand(8, 3, 16, 16), torch.arange(8)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = models.gradient_norms(net, x, y)
    assert len(found) == 7 and not net.training
    assert all(p.grad is None for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    nn.functional.cross_entropy(net.train()(x), y).backward()
    assert found[0] == pytest.approx(net.stem[0].weight.grad.norm().item(), rel=1e-4)
    assert found[-1] == pytest.approx(net.blocks[-1].conv2.weight.grad.norm().item(), rel=1e-4)


def test_gradients_of_deep_plain_networks_explode_and_residual_ones_do_not():
    x, y, ratio = torch.rand(16, 3, 16, 16), torch.arange(16) % 10, {}
    for name, block in {"plain": models.plain, "residual": models.residual}.items():
        torch.manual_seed(0)
        norms = models.gradient_norms(models.deep(56, block), x, y)
        ratio[name] = norms[1] / norms[-1]
    assert ratio["plain"] > 50 > 5 * ratio["residual"] / 5
    torch.manual_seed(0)
    without = models.gradient_norms(models.deep(56, partial(models.plain, batch_norm=False)), x, y)
    assert without[1] / without[-1] < 50


def test_attention_is_counted_though_torch_has_a_quick_way_for_it():
    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.TransformerEncoderLayer(16, nhead=2, dim_feedforward=32, batch_first=True)

        def forward(self, x):  # (B, 16, 4, 4)
            return self.look(x.flatten(2).mT)  # 16 patches of 16 numbers

    dense = 16 * (3 * 16 * 16 + 16 * 16 + 2 * 16 * 32)
    assert models.multiply_adds(Patches(), (16, 4, 4)) == dense + 2 * 16 * 16 * 16  # and each patch with each, twice
    assert torch.backends.mha.get_fastpath_enabled()
