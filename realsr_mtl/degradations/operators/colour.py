"""A colour cast: a wrong white balance, a wrong tone curve and faded colours.

Gains of single channels are the diagonal (von Kries) model of white balance; the rest is a power
and a mix with the luma.
"""

from __future__ import annotations

import numpy as np

from realsr_mtl.degradations.operators.canvas import Pixels

_LUMA = tuple(map(np.float32, (0.299, 0.587, 0.114)))
"""ITU-R BT.601: shares of red, green and blue."""


def colour_pixels(
    pixels: Pixels, red: float, blue: float, gamma: float, saturation: float
) -> Pixels:
    """``l + s (y - l)`` clipped to [0, 1], where ``y = gain * clip(x, 0, 1)^gamma``.

    ``l`` is the luma of ``y``, so saturation 0 makes a grey image and 1 keeps the colours.

    Args:
        pixels: ``[h, w, 3]`` RGB.
        red: gain of red; 1 keeps it.
        blue: gain of blue; that of green is 1.
        gamma: exponent; below 1 brightens.
        saturation: ``s``.
    """
    cast = np.clip(pixels, 0, 1) ** np.float32(gamma) * np.array([red, 1, blue], np.float32)
    # no matrix product: it may round differently for another number of pixels
    luma = sum(share * cast[..., i : i + 1] for i, share in enumerate(_LUMA))
    return np.clip(luma + np.float32(saturation) * (cast - luma), 0, 1)
