"""Seeing a training happen: a progress bar, a live plot with a stop button, and an orderly end on Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

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

    Outside a notebook there is nothing to see. While a cell runs, the kernel does not hear a widget's clicks. So the
    button asks the Jupyter server to interrupt the kernel, as the notebook's ■ does, which works wherever there is no
    such server (Colab, VS Code).
    """

    def __init__(self, history: History, shown: bool):
        self.history, self.last, self.handle = history, 0.0, None
        if not shown or "ipykernel" not in sys.modules:
            return
        from ipykernel.connect import get_connection_file
        from IPython import get_ipython
        from IPython.display import HTML, display

        if not hasattr(get_ipython(), "kernel"):  # ipykernel was imported, but nothing runs in it
            return
        kernel = Path(get_connection_file()).stem.removeprefix("kernel-")
        self.button = display(HTML(BUTTON.replace("KERNEL", kernel)), display_id=True)
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
            from IPython.display import HTML

            self.draw(now=True)
            self.button.update(HTML(""))


BUTTON = """<button type="button" onclick="
const told = document.getElementById('jupyter-config-data');
const config = told ? JSON.parse(told.textContent) : {};
if (!config.baseUrl) { this.textContent = 'Press the ■ of the notebook instead'; return; }
const xsrf = (document.cookie.match(/_xsrf=([^;]*)/) || [])[1];
const headers = {...(config.token && {Authorization: 'token ' + config.token}), ...(xsrf && {'X-XSRFToken': xsrf})};
this.disabled = true;
fetch(config.baseUrl + 'api/kernels/KERNEL/interrupt', {method: 'POST', headers: headers});
">■ Stop after this step</button>"""
