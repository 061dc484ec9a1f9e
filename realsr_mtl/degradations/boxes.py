"""Rectangles of pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Size = tuple[int, int]
"""Height and width."""


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of an image, ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @staticmethod
    def whole(size: Size) -> Box:
        """All of an image."""
        return Box(0, 0, *size)

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    def grown(self, margin: int, size: Size) -> Box:
        """Larger by a margin on each side, as far as the image goes."""
        return Box(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(size[0], self.bottom + margin),
            min(size[1], self.right + margin),
        )

    def aligned(self, step: int, size: Size) -> Box:
        """The smallest box of whole tiles around it, as far as the image goes."""
        return Box(
            self.top // step * step,
            self.left // step * step,
            min(size[0], -(-self.bottom // step) * step),
            min(size[1], -(-self.right // step) * step),
        )

    def times(self, factor: int) -> Box:
        """The same box in an image that is a whole number of times larger."""
        return Box(*(factor * side for side in self))

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def cut(self, pixels: npt.NDArray[np.float32], inner: Box) -> npt.NDArray[np.float32]:
        """The part ``inner`` of the pixels ``[h, w, C]`` that fill this box."""
        if inner == self:
            return pixels
        rows = slice(inner.top - self.top, inner.bottom - self.top)
        columns = slice(inner.left - self.left, inner.right - self.left)
        return np.ascontiguousarray(pixels[rows, columns])
