"""Pictures that grow during the training."""

import pytest
import torch

from utils.data.growing import Grow


def test_sizes_follow_the_training():
    grow, x = Grow(((0.25, 16), (0.5, 24))), torch.rand(2, 3, 32, 32)
    sizes = []
    for done in (0, 0.2, 0.25, 0.49, 0.5, 0.99):
        grow.set_progress(done)
        sizes.append(grow(x, None).shape[-1])
    assert sizes == [16, 16, 24, 24, 32, 32]
    assert grow(x, None) is x


def test_shrinking_averages():
    x = torch.zeros(1, 1, 32, 32)
    x[..., ::2] = 1  # stripes of one pixel: leaving out every second would give all or nothing
    small = Grow(((1.0, 16),))(x)
    assert (small[..., 2:-2] - 0.5).abs().max() < 0.13
    assert abs(small.mean() - 0.5) < 0.02


@pytest.mark.parametrize("stages", [((0.5, 16), (0.3, 24)), ((1.5, 16),), ((0.0, 16),)])
def test_fractions_that_make_no_sense_are_refused(stages):
    with pytest.raises(ValueError, match="fractions rising"):
        Grow(stages)
