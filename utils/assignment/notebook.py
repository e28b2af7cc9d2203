"""The learner's notebook: the names it defines, and its file."""

from __future__ import annotations

import sys

from torch import nn


def names() -> dict:
    """The names that the notebook has defined."""
    return vars(sys.modules["__main__"])


def classes(defined: dict | None = None) -> dict[str, type]:
    """The two networks by role, as far as they are written: `Baseline` and `proposed`."""
    defined = names() if defined is None else defined
    wanted = {"baseline": defined.get("Baseline"), "proposed": defined.get("proposed")}
    return {role: each for role, each in wanted.items() if isinstance(each, type) and issubclass(each, nn.Module)}
