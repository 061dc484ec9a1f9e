"""Snow: opaque flakes of three sizes over a slight veil.

The composition of Snow100K (Liu et al., "DesnowNet", TIP 2018): ``x (1 - m) + c m`` with a mask of
flakes; flakes are made here from noise that is smeared along a short line.
"""

from __future__ import annotations

import numpy as np

from realsr_mtl.degradations.operators.canvas import Pixels

SIZES = (1.0, 0.5, 0.25)
"""Sizes of the flakes of the three layers, relative to the largest."""

_VEIL, _COLOUR = np.float32(0.05), np.float32(0.97)


def snow_pixels(pixels: Pixels, flakes: Pixels, strength: float) -> Pixels:
    """Flakes ``[h, w, 1]`` in [0, 1] of some opacity over the veiled image."""
    mask = np.float32(strength) * flakes
    veiled = pixels + _VEIL * (_COLOUR - pixels)
    return np.asarray(veiled + mask * (_COLOUR - veiled), np.float32)
