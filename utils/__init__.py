"""The course's library: what the notebooks use once they have taught it.

`import utils` is cheap: each room is opened when it is first used.

    from utils import checks, data, device, explore, show
    utils.start("01_convolution")
"""

from importlib import import_module

__version__ = "0.1.0"
ROOMS = (
    "applications",
    "assignment",
    "checks",
    "data",
    "device",
    "evaluation",
    "explore",
    "failure",
    "models",
    "neural",
    "rebuilding",
    "results",
    "show",
    "start",
    "training",
    "transfer",
    "trials",
)


def __getattr__(name):
    if name in ROOMS:
        return import_module(f"utils.{name}")
    raise AttributeError(f"the course's utils has no {name!r}; it has: {', '.join(ROOMS)}")


def __dir__():
    return [*globals(), *ROOMS]
