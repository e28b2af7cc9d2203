"""A matrix of buttons with one `value`. Imports ipywidgets, so it is itself imported only when needed."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import traitlets
from matplotlib.colors import to_hex

from utils.show.classification import cell_colours


class ConfusionMatrix(ipywidgets.VBox):
    """A confusion matrix whose cells can be pressed, and two menus that choose the same.

    Every cell is a button, so the Tab key reaches it and Space presses it; its tooltip, which screen readers read
    out as its description, says in words what its number counts.

    Attributes
    ----------
    value : (row, column), the chosen cell
    """

    value = traitlets.Tuple()

    def __init__(self, matrix, classes: Sequence[str], start: tuple[int, int]):
        self.classes = list(classes)
        options = [(name, i) for i, name in enumerate(self.classes)]
        narrow = ipywidgets.Layout(width="250px")
        self.actual = ipywidgets.Dropdown(options=options, value=start[0], description="what it is", layout=narrow)
        self.guessed = ipywidgets.Dropdown(options=options, value=start[1], description="taken for", layout=narrow)
        self.frames = [frame(1, "#888888"), frame(3, "#AA3377")]  # plain, chosen: seen on dark pages as well
        colours = cell_colours(matrix)
        self.cells = [
            [self.cell(int(count), colours[i, j], i, j) for j, count in enumerate(row)] for i, row in enumerate(matrix)
        ]
        super().__init__([ipywidgets.HBox([self.actual, self.guessed]), self.grid()])
        self.value, self._following = start, False
        self.actual.observe(self._chosen, names="value")
        self.guessed.observe(self._chosen, names="value")
        self._mark((0, 0))

    def cell(self, count: int, colour, row: int, column: int) -> ipywidgets.Button:
        """A button with its count, in the colour of the static picture."""
        is_, as_ = self.classes[row], self.classes[column]
        words = f"{count:,} of class {is_} {'recognised' if row == column else f'taken for {as_}'}"
        style = {"button_color": to_hex(colour), "text_color": "black"}
        button = ipywidgets.Button(description=f"{count:,}", tooltip=words, style=style, layout=self.frames[0])
        button.on_click(lambda _: self.choose(row, column))
        return button

    def grid(self) -> ipywidgets.GridBox:
        """The cells, with the names of the classes on their left and above them."""
        wide, high = ipywidgets.Layout(width="84px", margin="0"), ipywidgets.Layout(width="54px", margin="0")
        head = [ipywidgets.Label("", layout=wide), *(ipywidgets.Label(short(c), layout=high) for c in self.classes)]
        for label, name in zip(head[1:], self.classes, strict=True):
            label.tooltip, label.style.font_size = name, "11px"
        rows = [
            [ipywidgets.Label(name, layout=wide), *cells] for name, cells in zip(self.classes, self.cells, strict=True)
        ]
        columns = f"84px repeat({len(self.classes)}, 54px)"
        return ipywidgets.GridBox(
            [*head, *(child for row in rows for child in row)],
            layout=ipywidgets.Layout(
                grid_template_columns=columns, grid_gap="1px", align_items="center", overflow="auto"
            ),
        )

    def choose(self, row: int, column: int) -> None:
        """Choose a cell, as a press on it does."""
        before, self.value = self.value, (row, column)
        self._following = True  # two menus change, the cell once
        self.actual.value, self.guessed.value = row, column
        self._following = False
        self._mark(before)

    def _chosen(self, change) -> None:
        if not self._following:
            self.choose(self.actual.value, self.guessed.value)

    def _mark(self, before: tuple[int, int]) -> None:
        """Frame the chosen cell, and no other."""
        for (row, column), chosen in ((before, False), (self.value, True)):
            button = self.cells[row][column]
            button.layout, button.style.font_weight = self.frames[chosen], "bold" if chosen else "normal"


def frame(line: int, colour: str) -> ipywidgets.Layout:
    """A cell with a border of `line` pixels, inside which there is room for 28 pixels, the height of a line."""
    return ipywidgets.Layout(
        width="54px", height="34px", padding=f"{3 - line}px", margin="0", border=f"{line}px solid {colour}"
    )


def short(name: str) -> str:
    """A name that fits above a narrow column."""
    return name if len(name) <= 8 else f"{name[:7]}…"
