"""How networks fail: pictures that got worse, moved, or were taken elsewhere; shortcuts; doubts.

    from utils import failure
    foggy = failure.corrupt(cifar.x_test, "fog", severity=3)     # float32 in [0, 1]
    turned = failure.rotate(cifar.x_test, degrees=30)
    moved_out = failure.elsewhere(shapes, background=(0.9, 0.9, 0.9))

Attacks are not here: chapter 10 has you write them.
"""

from importlib import import_module

NAMES = {
    "CORRUPTIONS": "corruptions",
    "SEVERITIES": "corruptions",
    "Corrupted": "corruptions",
    "Moved": "corruptions",
    "Recoloured": "corruptions",
    "corrupt": "corruptions",
    "elsewhere": "corruptions",
    "rotate": "corruptions",
    "translate": "corruptions",
}
__all__ = list(NAMES)


def __getattr__(name):
    if name in NAMES:
        return getattr(import_module(f"utils.failure.{NAMES[name]}"), name)
    raise AttributeError(f"utils.failure has no {name!r}; it has: {', '.join(NAMES)}")


def __dir__():
    return [*globals(), *NAMES]
