"""Watch for ready-made convolutions and poolings while learner code runs.

Everything torch computes passes its dispatcher, so a torch convolution is seen however it is called: by name, by alias,
from a layer inside a layer. SciPy's are Python functions and are seen as they are entered. This is for honest
learners who did not read the rule; it is no lock.
"""

from __future__ import annotations

import contextlib
import sys

from torch.utils._python_dispatch import TorchDispatchMode

CONVOLUTIONS = ("convolution", "conv1d", "conv2d", "conv3d", "conv_transpose", "conv_depthwise", "slow_conv")
POOLINGS = ("pool1d", "pool2d", "pool3d")
SCIPY = ("convolve", "convolve2d", "fftconvolve", "oaconvolve", "correlate", "correlate2d", "convolve1d", "correlate1d")


class Objection(Exception):
    """Raised where something is seen that no array can show: a list instead of a tensor, a missing `weight` …

    `kind` is a key of verdict.TROUBLES, `detail` completes its sentence.
    """

    def __init__(self, kind: str, detail: str):
        super().__init__(detail)
        self.kind, self.detail = kind, detail


class Watch(TorchDispatchMode):
    """Object as soon as torch is asked for a convolution or a pooling."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # otherwise torch imports its compiler for the first check, which takes two seconds

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function).split(".")[1]  # of "aten.convolution.default", "torchvision.deform_conv2d.default" …
        if any(part in name for part in CONVOLUTIONS + POOLINGS):
            raise Objection("forbidden", f"torch's own {name.strip('_')}")
        return function(*args, **(kwargs or {}))


@contextlib.contextmanager
def watched():
    """Run learner code inside: a ready-made convolution or pooling, torch's or SciPy's, is an Objection."""
    seen = []

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_name in SCIPY and "scipy" in frame.f_code.co_filename:
            seen.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        with Watch():
            yield
    finally:
        sys.setprofile(before)
    if seen:
        raise Objection("forbidden", f"SciPy's {seen[0]}")
