"""Static pictures: a figure in, a figure with alt text out.

Every function here returns a `Picture`; as the last line of a cell it appears in the notebook, on a white ground that
stays readable in dark mode, with a text that says what there is to see for those who cannot see it.
"""

from utils.show.picture import BLUE, DIVERGING, GREEN, ORANGE, PALETTE, PINK, Picture, picture

__all__ = ["BLUE", "DIVERGING", "GREEN", "ORANGE", "PALETTE", "PINK", "Picture", "picture"]
