"""Seeing a training happen: a progress bar, a live plot with a stop button, and an orderly end on Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator

from utils.training.history import History

EVERY = 2.0  # seconds between two drawings of the live plot: a drawing costs about 0.1 s


class Stop:
    """Whether the training is to end after the step that is under way. `stop()` asks for it, from anywhere."""

    def __init__(self):
        self.asked = False

    def __call__(self, *_) -> None:
        self.asked = True


@contextlib.contextmanager
def interruptible(stop: Stop) -> Iterator[None]:
    """Meanwhile Ctrl-C, or the notebook's ■, ends the training after the step. A second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():  # only there can signals be caught
        yield
        return

    def handle(number, frame):
        if stop.asked:
            raise KeyboardInterrupt
        stop()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def bar(steps: int, done: int, shown: bool):
    """A progress bar over the training's steps: a widget in notebooks, a line in terminals."""
    from tqdm.auto import tqdm

    return tqdm(total=steps, initial=done, unit="step", disable=not shown, dynamic_ncols=True, mininterval=0.3)


class Live:
    """The curves while they grow, and a button that stops the training after the step.

    Outside a notebook there is nothing to see. The button's clicks arrive while the cell runs wherever the front end
    talks to a thread of its own (JupyterLab from 4.4, with ipykernel 7); elsewhere the notebook's ■ does the same.
    """

    def __init__(self, history: History, stop: Stop, shown: bool):
        self.history, self.last, self.handle = history, 0.0, None
        if not shown or "ipykernel" not in sys.modules:
            return
        import ipywidgets
        from IPython.display import display

        button = ipywidgets.Button(description="Stop after this step", icon="stop", layout={"width": "auto"})
        button.on_click(lambda _: (stop(), setattr(button, "disabled", True)))
        self.button = button
        display(button)
        self.handle = display(display_id=True)

    def draw(self, now: bool = False) -> None:
        """Draw the curves, unless that was done a moment ago."""
        if self.handle is None or not (now or time.perf_counter() - self.last > EVERY):
            return
        if len(self.history.steps) > 1:
            from utils.show import progress

            self.handle.update(progress(self.history))
        self.last = time.perf_counter()

    def end(self) -> None:
        if self.handle is not None:
            self.draw(now=True)
            self.button.close()
