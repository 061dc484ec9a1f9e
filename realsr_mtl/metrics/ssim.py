"""Structural similarity."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.errors import UserError
from realsr_mtl.metrics.base import METRICS, Image, Metric, luma

_WINDOW, _SIGMA = 11, 1.5
_KERNEL = cv2.getGaussianKernel(_WINDOW, _SIGMA)
_STRIP = 32  # rows of windows at a time: twice to three times as fast as the whole image
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@METRICS.register(aliases=["calculate_ssim"])
class SSIM(Metric):
    """SSIM of Wang et al. (2004): Gaussian window 11, sigma 1.5, population moments, no padding.

    With means m, variances s^2 and covariance c in the window:
    ``(2 m1 m2 + C1)(2 c + C2) / ((m1^2 + m2^2 + C1)(s1^2 + s2^2 + C2))``, averaged over windows and
    channels. Equals BasicSR's and MATLAB's numbers.

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
        """SSIM in [-1, 1]."""
        assert reference is not None
        if min(image.shape[:2]) < _WINDOW:
            raise UserError(
                f"SSIM needs {_WINDOW} pixels inside the border, found {image.shape[:2]}"
            )
        if self.test_y_channel:
            return _ssim(luma(image), luma(reference))
        return _ssim(image.astype(np.float64), reference.astype(np.float64))


def _ssim(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Mean over all windows of ``[H, W]`` or ``[H, W, C]``, in strips that stay in the cache."""
    total, rows = 0.0, x.shape[0] - _WINDOW + 1
    for top in range(0, rows, _STRIP):
        strip = slice(top, min(top + _STRIP, rows) + _WINDOW - 1)
        total += _strip_sum(x[strip], y[strip])
    windows = rows * (x.shape[1] - _WINDOW + 1) * (x.shape[2] if x.ndim == 3 else 1)
    return total / windows


def _strip_sum(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    mean_x, mean_y = _window(x), _window(y)
    product = mean_x * mean_y
    squares = mean_x**2 + mean_y**2
    covariance = _window(x * y) - product
    variances = _window(x**2 + y**2) - squares
    similarity = (2 * product + _C1) * (2 * covariance + _C2)
    similarity /= (squares + _C1) * (variances + _C2)
    return float(similarity.sum())


def _window(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    half = _WINDOW // 2
    filtered = cv2.sepFilter2D(np.ascontiguousarray(image), -1, _KERNEL, _KERNEL)
    return np.asarray(filtered[half:-half, half:-half])
