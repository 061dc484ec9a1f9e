"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import Literal

import numpy as np

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.metrics.base import METRICS, Image, Metric, luma


@METRICS.register(aliases=["calculate_psnr"])
class PSNR(Metric):
    """``10 log10(255^2 / mean squared error)`` in dB on 8-bit images; infinite for equal ones.

    Args:
        crop_border: pixels left out on each side.
        test_y_channel: score Y of studio-range YCbCr (BT.601) instead of RGB.
        better: larger is better.
    """

    def __init__(
        self,
        *,
        crop_border: int = 0,
        test_y_channel: bool = False,
        better: Literal["higher", "lower"] = "higher",
    ) -> None:
        super().__init__(crop_border, better)
        self.test_y_channel = test_y_channel

    def score(self, image: Image, reference: Image | None) -> float:
        """PSNR in dB."""
        assert reference is not None
        if self.test_y_channel:
            # Y is linear in RGB: one weighted sum of the differences
            difference = image.astype(np.int16) - reference
            error = luma(difference) - 16.0
            squares = float(np.square(error).sum())
            count = error.size
        else:
            squares = cv2.norm(
                np.ascontiguousarray(image), np.ascontiguousarray(reference), cv2.NORM_L2SQR
            )
            count = image.size
        return 10 * float(np.log10(255.0**2 * count / squares)) if squares > 0 else float("inf")
