"""Raindrops on a window or lens: each shows a blurred, turned view of what lies behind it.

After RainDrop (Qian et al., "Attentive Generative Adversarial Network for Raindrop Removal", CVPR
2018): ``x (1 - m) + R m`` with the refracted light R; shapes are made up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.boxes import Box, Size
from realsr_mtl.degradations.fields import words_at
from realsr_mtl.degradations.operators.canvas import Pixels

_TURN, _BLUR, _TALL, _EDGE = -0.9, 2.0, 1.2, 0.15
"""Scale of the view in a drop, its blur in pixels, height over width, width of the soft edge."""

_BLUR_REACH = 6


@dataclass(frozen=True)
class Drop:
    """An ellipse with its middle and half its width, in pixels."""

    y: float
    x: float
    radius: float


def drops(seed: int, size: Size, density: float, largest: float) -> list[Drop]:
    """The drops of an image.

    Args:
        seed: of the places.
        size: of the image.
        density: drops per 100 x 100 pixels.
        largest: radius in pixels; most drops are smaller, down to a third.
    """
    count = max(1, round(density * size[0] * size[1] / 1e4))
    words = words_at(seed, Box(0, 0, count, 3), 3, 1, 16)[..., 0] / 65536
    return [
        Drop(y * size[0], x * size[1], largest * (1 + 2 * r**2) / 3) for y, x, r in words.tolist()
    ]


def reach(largest: float) -> int:
    """How far from a pixel the pixels lie that it may show."""
    return math.ceil(2 * largest * _TALL) + _BLUR_REACH


def raindrop_pixels(pixels: Pixels, box: Box, wanted: Box, found: list[Drop]) -> Pixels:
    """The wanted part of an image behind drops; ``pixels`` are the part ``box`` of it."""
    result = box.cut(pixels, wanted).copy()
    blurred = cv2.GaussianBlur(pixels, (0, 0), _BLUR, borderType=cv2.BORDER_REFLECT_101)
    for drop in found:
        half = (math.ceil(drop.radius * _TALL) + 1, math.ceil(drop.radius) + 1)
        middle = (math.floor(drop.y), math.floor(drop.x))
        part = Box(
            max(wanted.top, middle[0] - half[0]),
            max(wanted.left, middle[1] - half[1]),
            min(wanted.bottom, middle[0] + half[0] + 1),
            min(wanted.right, middle[1] + half[1] + 1),
        )
        if part.top >= part.bottom or part.left >= part.right:
            continue
        y, x = np.mgrid[part.top : part.bottom, part.left : part.right].astype(np.float32)
        dy, dx = y - np.float32(drop.y), x - np.float32(drop.x)
        inside = np.hypot(dy / np.float32(drop.radius * _TALL), dx / np.float32(drop.radius))
        mask = np.clip((1 - inside) / np.float32(_EDGE), 0, 1)[..., None]
        rows = np.float32(drop.y - box.top) + np.float32(_TURN) * dy
        columns = np.float32(drop.x - box.left) + np.float32(_TURN) * dx
        view = cv2.remap(
            blurred, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        light = (np.float32(1.05) - np.float32(0.25) * inside**2)[..., None]
        here = (
            slice(part.top - wanted.top, part.bottom - wanted.top),
            slice(part.left - wanted.left, part.right - wanted.left),
        )
        result[here] += mask * (np.minimum(view.reshape(*y.shape, -1) * light, 1) - result[here])
    return result
