"""Kernels of what moves: rain streaks, falling flakes, motion blur."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Kernel = npt.NDArray[np.float32]


def line_kernel(length: float, angle: float) -> Kernel:
    """An even line through the middle of an odd square, ``[K, K]``, of sum 1: motion blur.

    Args:
        length: of the line in pixels, at least 1.
        angle: from the vertical in radians; positive leans to the right at the top.
    """
    along, across = _axes(math.ceil((length + 1) / 2), angle)
    inside = np.clip((length + 1) / 2 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return (inside / inside.sum()).astype(np.float32)


def streak_kernel(length: float, angle: float, width: float) -> Kernel:
    """A streak that fades towards its ends, ``[K, K]``, largest value 1.

    Args:
        length: in pixels, where it has faded to nothing.
        angle: as in `line_kernel`.
        width: in pixels, where it has faded to a half.
    """
    along, across = _axes(math.ceil(max(length / 2, 1.5 * width)), angle)
    fade = np.clip(1 - np.square(2 * along / max(length, width)), 0, None)
    profile = np.exp2(-np.square(2 * across / width))
    return (fade * profile).astype(np.float32)


def _axes(reach: int, angle: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distances along and across a line from the middle of a square."""
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    along = -y * math.cos(angle) + x * math.sin(angle)
    across = y * math.sin(angle) + x * math.cos(angle)
    return along, across
