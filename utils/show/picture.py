"""A finished figure together with its alt text: the one way in which the course shows pictures."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass

# Okabe and Ito's palette ("Color Universal Design", 2008): told apart by readers of every kind of colour vision.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
PALETTE = (BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9", "#000000")
DIVERGING = "PuOr"  # for signed values: white is zero, and the two ends differ for colour-blind readers too


@dataclass(frozen=True)
class Picture:
    """PNG bytes and the text that stands for them."""

    png: bytes
    alt: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": f"[picture: {self.alt}]"}

    def html(self) -> str:
        """An `<img>` that carries its own data: nothing to lose, nothing to fetch."""
        data = base64.b64encode(self.png).decode()
        style = "max-width:100%;background:white"
        return f'<img alt="{html.escape(self.alt, quote=True)}" style="{style}" src="data:image/png;base64,{data}">'

    def __repr__(self) -> str:
        return f"[picture: {self.alt}]"


def picture(figure, alt: str) -> Picture:
    """Close a matplotlib `figure` and return it as a `Picture`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What there is to see, in a sentence or two: the point of the figure, not its ornaments.

    Raises
    ------
    ValueError
        If `alt` says nothing.
    """
    if len(alt.split()) < 3:
        raise ValueError(f"every picture needs an alt text that says what there is to see; this one has {alt!r}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    import matplotlib.pyplot as plt

    plt.close(figure)  # otherwise the notebook would show it a second time, without alt text
    return Picture(buffer.getvalue(), " ".join(alt.split()))
