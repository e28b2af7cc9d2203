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
        (["tools = []", "tools.append(F.conv2d)", "def Conv2D(x): return tools[0](x)"], "conv2d"),
        ([OWN, "setattr(torch, 'einsum', F.conv2d)", "def helper(x): torch.einsum(x)"], "conv2d"),
        ([OWN, "def make():\n    global helper\n    helper = F.conv2d"], "conv2d"),
        ([OWN, "from torch.nn.functional import *", "def conv2d(x): 1", "def helper(x): return conv2d(x)"], "conv2d"),
        ([OWN, "def helper(x): return vars(F)['con' + 'v2d'](x)"], "vars"),
    ],
)
def test_found(sources, named):
    assert suspicion(sources, "Conv2D").endswith(f"names {named}")


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import utils.checks.question as q\nq.watched = None", "checks, watched"),
        ("from utils.checks import question", "utils.checks.question"),
        ("from torch.utils._python_dispatch import _disable_current_modes", "_disable_current_modes, _python_dispatch"),
        ("import threading", "threading"),
        ("from concurrent.futures import ThreadPoolExecutor", "concurrent"),
        ("exec(text)", "exec"),
        ("sys.modules['utils']", "sys.modules"),
        ("get_ipython().ast_transformers.append(x)", "ast_transformers"),
        ("hidden = getattr(torch, 'a' + 'b')", "getattr with a computed name"),
    ],
)
def test_what_could_switch_the_watch_off_is_seen_anywhere(source, named):
    found = suspicion([OWN, "def helper(x): return F.unfold(x, 3)", source], "Conv2D")
    assert found == f"the notebook names {named}, which could hide what Conv2D rests on"


@pytest.mark.parametrize(
    "sources",
    [
        [OWN, "def helper(x): return F.unfold(x, 3)"],
        [OWN, "torch.testing.assert_close(Conv2D(1, 1, 2)(x), F.conv2d(x, w))"],
        [OWN, "from utils.checks import check, yours_or_torch\nimport torch", "%timeit F.conv2d(x, w)"],
        [OWN, "model.eval()\nmodel.modules()\nre.compile('x')\nmodel = torch.compile(model)\ngc.collect()"],
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
