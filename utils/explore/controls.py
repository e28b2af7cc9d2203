"""Controls made of several widgets, with one `value`. Imports ipywidgets, so it is itself imported only when needed."""

from __future__ import annotations

import ipywidgets
import traitlets

OWN = "own"


class KernelEditor(ipywidgets.HBox):
    """A menu of kernels and nine cells.

    Choosing a kernel fills the cells at one stroke; editing a cell makes the menu say "own".

    Attributes
    ----------
    value : tuple of 9 floats, row by row
    """

    value = traitlets.Tuple()

    def __init__(self, presets: dict[str, tuple], start: str):
        self.presets = {name: tuple(float(w) for row in rows for w in row) for name, rows in presets.items()}
        self.menu = ipywidgets.Dropdown(options=[*presets, OWN], value=start, description="kernel")
        cell = ipywidgets.Layout(width="76px", margin="0")
        self.cells = [ipywidgets.FloatText(step=0.5, layout=cell) for _ in range(9)]
        for i, one in enumerate(self.cells):
            one.tooltip = f"weight in row {i // 3}, column {i % 3}"
        grid = ipywidgets.GridBox(self.cells, layout=ipywidgets.Layout(grid_template_columns="repeat(3, 78px)"))
        super().__init__([self.menu, grid], layout=ipywidgets.Layout(align_items="center"))
        self._filling = False
        self._fill()
        self.menu.observe(self._fill, names="value")
        for one in self.cells:
            one.observe(self._edited, names="value")

    def _fill(self, change=None) -> None:
        if self.menu.value == OWN:
            return
        weights = self.presets[self.menu.value]
        self._filling = True  # nine cells change, the picture once
        for one, weight in zip(self.cells, weights, strict=True):
            one.value = round(weight, 4)
        self._filling = False
        self.value = weights  # the exact ninth, not the rounded one of the cell

    def _edited(self, change=None) -> None:
        if not self._filling:
            self.menu.value = OWN
            self.value = tuple(one.value for one in self.cells)


class Position(ipywidgets.VBox):
    """A place in a matrix: a slider, a player that walks through it, and a pad of cells to point at.

    Attributes
    ----------
    value : int, counted row by row from 0
    """

    value = traitlets.Int()

    def __init__(self, rows: int, columns: int):
        last = rows * columns - 1
        self.slider = ipywidgets.IntSlider(0, 0, max(last, 1), description="position", continuous_update=True)
        self.play = ipywidgets.Play(min=0, max=last, interval=900, tooltip="walk through all positions")
        square = ipywidgets.Layout(width="30px", height="26px", padding="0", margin="1px")
        self.pad = [
            ipywidgets.Button(layout=square, tooltip=f"output row {n // columns}, column {n % columns}")
            for n in range(rows * columns)
        ]
        grid = ipywidgets.GridBox(self.pad, layout=ipywidgets.Layout(grid_template_columns=f"repeat({columns}, 32px)"))
        pad = ipywidgets.VBox([ipywidgets.HTML("or point at an output:"), grid])
        row = ipywidgets.Layout(align_items="center", grid_gap="24px")
        super().__init__([ipywidgets.HBox([self.play, self.slider, pad], layout=row)])
        self.slider.observe(self._moved, names="value")
        self.play.observe(self._played, names="value")
        for n, button in enumerate(self.pad):
            button.on_click(lambda _, n=n: self._go(n))
        self._mark()

    def _go(self, place: int) -> None:
        self.slider.value = place

    def _moved(self, change) -> None:
        self.value = min(self.slider.value, len(self.pad) - 1)
        self.play.value = self.value  # playing goes on from where the slider stands
        self._mark()

    def _played(self, change) -> None:
        self.slider.value = self.play.value

    def _mark(self) -> None:
        for n, button in enumerate(self.pad):
            button.button_style = "success" if n == self.value else "info" if n < self.value else ""
