"""A function that draws, and the controls that call it again."""

from __future__ import annotations

from collections.abc import Callable

from utils.show import Picture


class Explorer:
    """Controls above the picture that they change; without a live front end, the picture alone.

    Parameters
    ----------
    draw : callable
        Returns a `Picture`, or a str that says why there is none (an impossible combination, say), from one
        keyword argument per control.
    controls : dict of str to ipywidgets.Widget
        By argument name, in the order in which they are shown. Anything with a `value`.
    columns : int
        How many controls stand side by side.

    Attributes
    ----------
    picture : Picture or str
        What is shown now.
    """

    def __init__(self, draw: Callable[..., Picture | str], controls: dict, columns: int = 2):
        self.draw, self.controls, self.columns = draw, controls, columns
        self.picture = self._drawn()
        self._view = None

    def _drawn(self) -> Picture | str:
        return self.draw(**{name: control.value for name, control in self.controls.items()})

    @property
    def widget(self):
        """The live widget; made once, so that an explorer shown twice moves together."""
        if self._view is None:
            import ipywidgets

            self._image = ipywidgets.HTML(self._html())
            grid = ipywidgets.GridBox(
                list(self.controls.values()),
                layout=ipywidgets.Layout(
                    grid_template_columns=f"repeat({self.columns}, max-content)", grid_gap="2px 24px"
                ),
            )
            for control in self.controls.values():
                control.observe(self._redraw, names="value")
            self._view = ipywidgets.VBox([grid, self._image])
        return self._view

    def _redraw(self, change=None) -> None:
        self.picture = self._drawn()
        self._image.value = self._html()

    def _html(self) -> str:
        from html import escape

        if isinstance(self.picture, Picture):
            return self.picture.html()
        return (
            f'<div role="status" style="border-left:6px solid #D55E00;padding:.4em .8em">{escape(self.picture)}</div>'
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        # A front end shows the richest form it can: the widget where a kernel answers, the picture elsewhere.
        return {**self.widget._repr_mimebundle_(), "text/html": self._html(), "text/plain": repr(self.picture)}
