"""The protocol of AirNet and PromptIR: RGB, not rounded to 8 bits, SSIM with a uniform window.

Li et al., "All-In-One Image Restoration for Unknown Corruption", CVPR 2022. Images are cut to
multiples of 16 around their middle before they are restored (``datasets: crop_multiple: 16``).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from realsr_mtl.errors import UserError
from realsr_mtl.metrics.base import METRICS, Levels, Metric

_WINDOW = 7


class _AirNetMetric(Metric):
    protocol = "AirNet"
    rounds = False

    def __init__(self, *, better: Literal["higher", "lower"] = "higher") -> None:
        super().__init__(0, better)


@METRICS.register()
class AirNetPSNR(_AirNetMetric):
    """PSNR in dB on RGB, output clipped to [0, 1] and not rounded (AirNet, PromptIR).

    Args:
        better: larger is better.
    """

    def score(self, image: Levels, reference: Levels | None) -> float:
        """PSNR in dB."""
        assert reference is not None
        squares = float(np.square(image.astype(np.float64) - reference).mean())
        return 10 * float(np.log10(255.0**2 / squares)) if squares > 0 else float("inf")


@METRICS.register()
class AirNetSSIM(_AirNetMetric):
    """SSIM of scikit-image on RGB, not rounded: uniform window of 7, sample covariance.

    Args:
        better: larger is better.
    """

    def score(self, image: Levels, reference: Levels | None) -> float:
        """SSIM in [-1, 1]."""
        from skimage.metrics import structural_similarity

        assert reference is not None
        if min(image.shape[:2]) < _WINDOW:
            raise UserError(f"AirNetSSIM needs {_WINDOW} pixels a side, found {image.shape[:2]}")
        pair: Any = (image.astype(np.float64), reference.astype(np.float64))
        return float(structural_similarity(*pair, channel_axis=2, data_range=255))
