"""Chapter 08's experiments: how pictures are spoilt, how networks learn to rebuild them, what is measured."""

import pytest
import torch
from torch import nn

from utils import models, rebuilding


@pytest.fixture
def pictures():
    """Dark pictures with a bright row somewhere, (40, 1, 8, 8)."""
    x = torch.zeros(40, 1, 8, 8)
    x[torch.arange(40), 0, torch.arange(40) % 8] = 1
    return x


def test_noise_has_the_standard_deviation_that_it_is_said_to_have():
    x = torch.full((50, 1, 20, 20), 0.5)
    assert (rebuilding.noise(0.3)(x) - x).std().item() == pytest.approx(0.3, rel=0.05)
    assert torch.equal(rebuilding.noise(0.0)(x), x)
    each = (rebuilding.noise(0.2, 0.6)(x) - x).flatten(1).std(1)  # of each picture its own
    assert 0.17 < each.min() < 0.26 and 0.54 < each.max() < 0.65


@pytest.mark.parametrize("sigmas", [(), (0.1, 0.2, 0.3), (-0.1,)])
def test_impossible_noise_is_refused(sigmas):
    with pytest.raises(ValueError, match="one standard deviation, or the smallest and the largest"):
        rebuilding.noise(*sigmas) if sigmas else rebuilding.noise(-1.0)


def test_halving_takes_the_mean_of_four():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert rebuilding.halved(x).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]


def test_learning_lowers_the_error_and_depends_on_the_seed_alone(pictures):
    def learned(seed):
        torch.manual_seed(0)
        net = models.dense_autoencoder((1, 8, 8), code=8)
        history = rebuilding.learn(net, pictures, epochs=15, lr=0.02, batch_size=10, seed=seed, x_val=pictures[:10])
        return net, history

    before = torch.random.get_rng_state()
    net, history = learned(1)
    torch.random.set_rng_state(before)
    again, other = learned(1)[1], learned(2)[1]
    assert len(history["loss"]) == len(history["val_loss"]) == 15
    assert history["val_loss"][-1] < history["val_loss"][0] / 2
    assert history["val_loss"][-1] == pytest.approx(rebuilding.squared_error(net, pictures[:10]))
    assert history == again != other


def test_the_target_is_the_picture_before_it_was_spoilt(pictures):
    """A network that can only give one constant learns the mean of the targets, not of what it is shown."""

    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.level = nn.Parameter(torch.tensor(0.5))

        def forward(self, x):
            return self.level.expand_as(x)

    net = Constant()
    rebuilding.learn(net, pictures, lambda x: x + 5, epochs=60, lr=0.05)
    assert net.level.item() == pytest.approx(pictures.mean().item(), abs=0.02)


def test_answers_are_given_in_eval_mode_which_ends_with_them(pictures):
    net = nn.Sequential(nn.Dropout(0.9), nn.Identity()).train()
    answer = rebuilding.rebuilt(net, pictures)
    assert torch.equal(answer, pictures) and not answer.requires_grad
    assert net.training


def test_the_same_noise_for_everyone(pictures):
    noisy = [rebuilding.spoilt(pictures, rebuilding.noise(0.3), seed) for seed in (4, 4, 5)]
    assert torch.equal(noisy[0], noisy[1]) and not torch.equal(noisy[0], noisy[2])


def test_the_linear_limit_is_that_of_the_singular_vectors():
    x, x_test = torch.rand(60, 1, 4, 5, dtype=torch.float64), torch.rand(20, 1, 4, 5, dtype=torch.float64)
    mean = x.flatten(1).mean(0)
    axes = torch.linalg.svd(x.flatten(1) - mean).Vh[:3]  # (3, 20)
    for given, found in ((x, rebuilding.linear_limit(x, 3)), (x_test, rebuilding.linear_limit(x, 3, x_test))):
        centred = given.flatten(1) - mean
        assert found == pytest.approx((centred @ axes.T @ axes - centred).square().mean().item())


def test_ripple_is_the_standard_deviation_in_grey_levels():
    class Stripes(nn.Module):
        def forward(self, x):
            y = torch.nn.functional.interpolate(x, scale_factor=2.0)
            y[..., ::2, :] += 0.1
            return y

    assert rebuilding.ripple(Stripes(), channels=1) == pytest.approx(255 * 0.05, rel=1e-4)
    torch.manual_seed(0)
    assert (
        rebuilding.ripple(models.SuperResolution(how="resize"))
        < 1e-3
        < 1
        < rebuilding.ripple(models.SuperResolution(how="kernel 3"))
    )
