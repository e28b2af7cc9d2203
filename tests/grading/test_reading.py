"""Ready-made convolutions are found where the target rests on them, and nowhere else."""

import pytest

from grading.reading import suspicion

OWN = "class Conv2D(nn.Module):\n    def forward(self, x):\n        return helper(x)\n"


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        (["def Conv2D(*a): return nn.Conv2d(*a)"], "Conv2d"),
        (["class Conv2D(nn.Conv2d): pass"], "Conv2d"),
        ([OWN, "def helper(x): return F.conv2d(x, w)"], "conv2d"),
        ([OWN, "def helper(x): return again(x)", "again = torch.conv2d"], "conv2d"),
        ([OWN, "from torch.nn.functional import conv2d as helper"], "conv2d"),
        (["from torch.nn import Conv2d as Base", "class Conv2D(Base): pass"], "Conv2d"),
        ([OWN, "def helper(x): return getattr(F, 'conv' + '2d')(x)"], "getattr with a computed name"),
        ([OWN, "def helper(x): return getattr(F, 'conv2d')(x)"], "'conv2d'"),
        ([OWN, "def helper(x): exec(code)"], "exec"),
        ([OWN, "def helper(x): return torch.ops.aten.convolution(x)"], "convolution, ops"),
        ([OWN, "def other(x): return 1", "Conv2D.forward = lambda self, x: signal.fftconvolve(x)"], "fftconvolve"),
        ([OWN, "def helper(x): return correlate(x)"], "correlate"),
        ([OWN, "%matplotlib inline\nhelper = F.conv2d"], "conv2d"),
    ],
)
def test_found(sources, named):
    assert suspicion(sources, "Conv2D").endswith(f"names {named}")


@pytest.mark.parametrize(
    "sources",
    [
        [OWN, "def helper(x): return F.unfold(x, 3)"],
        [OWN + "\nassert torch.allclose(Conv2D(1, 1, 2)(x), F.conv2d(x, w))"],
        [OWN, "reference = nn.Conv2d(1, 1, 2)"],
        [OWN, "def helper(x): return getattr(x, 'shape')"],
        [OWN, "def helper(x: # not Python"],
        [OWN, "def helper(x): return conv2d(x)", "def conv2d(x): return x * 2"],
        ["x" * 10],
    ],
)
def test_not_found(sources):
    assert suspicion(sources, "Conv2D") == ""
