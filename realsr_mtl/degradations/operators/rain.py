"""Rain: bright streaks of one direction, added to the image.

The additive model of Rain100L/H (Yang et al., "Deep Joint Rain Detection and Removal from a Single
Image", CVPR 2017); streaks are made here from noise that is smeared along a line.
"""

from __future__ import annotations

import numpy as np

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.fields import words_at
from realsr_mtl.degradations.operators.canvas import Pixels
from realsr_mtl.degradations.operators.streaks import Kernel


def specks(seed: int, box: Box, width: int, density: float) -> Pixels:
    """``[h, w, 1]``: brightness in (0.4, 1] of the pixels where something falls, else 0.

    Args:
        seed: of the field.
        box: part of the image.
        width: of the whole image.
        density: share of the pixels.
    """
    uniform = words_at(seed, box, width, 1, 16).astype(np.float32) / np.float32(65536)
    falls = uniform < density
    return np.where(falls, 1 - np.float32(0.6 / density) * uniform, 0).astype(np.float32)


def layer(seed: int, kernel: Kernel, density: float, box: Box, size: Size, wanted: Box) -> Pixels:
    """Specks smeared along a line, ``[h, w, 1]`` of the wanted part, in [0, 1].

    Args:
        seed: of the field.
        kernel: of `streak_kernel`.
        density: lines per pixel.
        box: part of the image around the wanted one, as far as the kernel reaches.
        size: of the whole image.
        wanted: the part to make.
    """
    points = specks(seed, box, size[1], density)
    flipped = np.ascontiguousarray(kernel[::-1, ::-1])
    smeared = cv2.filter2D(points, -1, flipped, borderType=cv2.BORDER_CONSTANT)
    part = box.cut(smeared.reshape(points.shape), wanted)
    return np.clip(part, 0, 1)  # a transform leaves -1e-16 for 0


def rain_pixels(pixels: Pixels, streaks: Pixels, strength: float) -> Pixels:
    """``min(1, x + strength * streaks)``."""
    return np.minimum(pixels + np.float32(strength) * streaks, 1)
