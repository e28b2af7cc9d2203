"""U-Net: sizes, skip connections that carry something; IoU of classes; borders."""

import pytest
import torch

from utils import data, models
from utils.applications import segmentation


@pytest.mark.parametrize("skip", [True, False])
def test_a_logit_for_each_class_of_each_pixel(skip):
    net = segmentation.UNet(classes=3, width=4, skip=skip).eval()
    assert net(torch.rand(2, 3, 16, 24)).shape == (2, 3, 16, 24)
    with pytest.raises(ValueError, match="multiples of 4: they are halved twice"):
        net(torch.rand(1, 3, 18, 16))


def test_skip_connections_bypass_the_bottom():
    torch.manual_seed(0)
    for skip in (True, False):
        net = segmentation.UNet(width=4, skip=skip).eval()
        torch.nn.init.zeros_(net.up2.weight)
        torch.nn.init.zeros_(net.up1.weight)  # nothing comes from below
        with torch.no_grad():
            y = net(torch.rand(1, 3, 32, 32))[:, :, 8:-8, 8:-8]  # away from padding
        assert (y.std((2, 3)).max() > 1e-4) == skip
    assert models.count(segmentation.UNet(skip=True)) > models.count(segmentation.UNet(skip=False))


def test_it_learns():
    torch.manual_seed(0)
    net = segmentation.UNet(width=4)
    scenes = data.scenes(30, size=32, objects=1)
    history = segmentation.learn(net, scenes, epochs=4)
    assert history[-1] < history[0]
    labels = segmentation.labels(net, scenes.x)
    assert labels.shape == (30, 32, 32) and torch.equal(labels, segmentation.labels(net, scenes.x.float() / 255))


def test_iou_by_class_and_classes_that_occur_nowhere():
    truth = torch.tensor([[[0, 0, 1, 1], [0, 0, 0, 0]]])
    predicted = torch.tensor([[[0, 1, 1, 0], [0, 0, 0, 2]]])
    found = segmentation.class_iou(predicted, truth, 4)
    assert found[:3].tolist() == pytest.approx([4 / 7, 1 / 3, 0]) and found[3].isnan()


def test_borders_are_pixels_beside_another_class():
    masks = torch.zeros(1, 5, 6, dtype=torch.long)
    masks[0, 1:3, 2:4] = 3
    found = segmentation.borders(masks)[0].int().tolist()
    assert found == [[0, 1, 1, 1, 1, 0]] * 4 + [[0, 0, 0, 0, 0, 0]]
    assert not segmentation.borders(masks * 0 + 2).any()
