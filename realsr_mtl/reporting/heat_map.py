"""Heat maps as tables with coloured cells: legible, selectable, small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cell:
    """A number, its background and the colour of its text."""

    text: str
    background: str = ""
    ink: str = ""


@dataclass(frozen=True)
class HeatMap:
    """Rows x columns of cells; ``corner`` is the head of the first column."""

    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


def cell(text: str, place: float, colours: str) -> Cell:
    """A coloured cell.

    Args:
        text: what it shows.
        place: in [0, 1] on the scale, clipped; NaN for no colour.
        colours: name of a matplotlib colour map.
    """
    if not math.isfinite(place):
        return Cell(text)
    from matplotlib import colormaps

    red, green, blue, _ = colormaps[colours](min(1.0, max(0.0, place)))
    luminance = float(np.array([red, green, blue]) ** 2.2 @ (0.2126, 0.7152, 0.0722))
    white = 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05  # which has more contrast
    code = "#" + "".join(f"{round(255 * c):02x}" for c in (red, green, blue))
    return Cell(text, code, "#ffffff" if white else "#000000")
