"""Attribution maps point at what a network depends on, where that is known, and leave the network as it was."""

import pytest
import torch
from torch import nn

from utils.failure import attribution


class Corner(nn.Module):
    """Its two logits depend on the upper left quarter of the picture, and on nothing else."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1).expand(2, 3, 1, 1).clone()

    def forward(self, x):
        maps = self.conv(x).relu()
        return maps[:, :, : x.shape[2] // 2, : x.shape[3] // 2].sum((2, 3)) * torch.tensor([1.0, 0.0])


X = torch.rand(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
REGION = torch.zeros(3, 1, 12, 12, dtype=torch.bool)
REGION[:, :, :6, :6] = True


@pytest.mark.parametrize("way", attribution.WAYS)
def test_all_of_it_lies_where_the_network_looks(way):
    maps = attribution.attribute(Corner(), X, torch.zeros(3, dtype=torch.int64), way)
    assert maps.shape == (3, 12, 12) and maps.dtype == torch.float32 and not maps.requires_grad
    shares = attribution.share(maps, REGION)
    least = 0.2 if way == "Grad-CAM" else 0.75  # Grad-CAM weighs whole maps; a covered piece can reach over the border
    assert (shares > least).all()
    assert maps[:, :6, :6].min() > 0 or way == "occlusion"


@pytest.mark.parametrize("way", attribution.WAYS)
def test_the_class_asked_about_matters(way):
    maps = attribution.attribute(Corner(), X, torch.tensor([0, 1, 0]), way)
    assert maps[0].max() > 0 and maps[1].abs().max() == 0
    assert attribution.share(maps, REGION).isnan().tolist() == [False, True, False]


def test_bytes_and_floats_give_the_same_and_nothing_is_changed():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(400, 2)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x = (X * 255).to(torch.uint8)
    for way in attribution.WAYS:
        one, two = (attribution.attribute(net, each, torch.tensor([0, 1, 1]), way) for each in (x, x / 255))
        assert torch.allclose(one, two, atol=1e-6), way
    assert net.training and all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in net.modules())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"one of saliency, Grad-CAM, occlusion; you gave 'gaze'"):
        attribution.attribute(Corner(), X, torch.zeros(3, dtype=torch.int64), "gaze")
    with pytest.raises(ValueError, match=r"add the batch axis"):
        attribution.attribute(Corner(), X[0], torch.zeros(3, dtype=torch.int64), "saliency")
    with pytest.raises(ValueError, match=r"a region for each map"):
        attribution.share(torch.ones(3, 12, 12), REGION[:2])
