"""Haze by atmospheric scattering, with a plausible depth.

``I = J t + A (1 - t)`` with the transmission ``t = exp(-beta d)`` (Koschmieder; RESIDE, Li et al.,
TIP 2019, uses it with measured depths). The depth here is made up: far at the top of the image,
near at the bottom, with smooth hills.
"""

from __future__ import annotations

import numpy as np

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.fields import words_at
from realsr_mtl.degradations.operators.canvas import Pixels

_HILLS = 5


def depth(seed: int, size: Size, wanted: Box) -> Pixels:
    """``[h, w, 1]`` of the wanted part, 0.1 (near) to about 1.3 (far)."""
    grid = words_at(seed, Box(0, 0, _HILLS, _HILLS), _HILLS, 1, 16).astype(np.float32) / 65536
    hills = cv2.resize(grid[..., 0], (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    rows = np.linspace(1, 0, size[0], dtype=np.float32)[:, None]
    whole = np.clip(0.1 + 0.8 * rows + 0.5 * (hills - 0.5), 0.1, 1.5)
    part = whole[wanted.top : wanted.bottom, wanted.left : wanted.right]
    return np.ascontiguousarray(part, dtype=np.float32)[..., None]


def haze_pixels(pixels: Pixels, distance: Pixels, beta: float, airlight: float) -> Pixels:
    """``x t + A (1 - t)``, ``t = exp(-beta d)``."""
    transmission = np.exp(np.float32(-beta) * distance)
    return pixels * transmission + np.float32(airlight) * (1 - transmission)
