"""The protocol of AllWeather tables: Y of 8-bit images, SSIM with a Gaussian window of 11.

Valanarasu et al., "TransWeather", CVPR 2022, and the papers that compare with it.
"""

from __future__ import annotations

from typing import Literal

from realsr_mtl.metrics.base import METRICS
from realsr_mtl.metrics.psnr import PSNR
from realsr_mtl.metrics.ssim import SSIM


@METRICS.register()
class AllWeatherPSNR(PSNR):
    """PSNR in dB on Y of 8-bit images, no border left out (AllWeather tables).

    Args:
        better: larger is better.
    """

    protocol = "AllWeather"

    def __init__(self, *, better: Literal["higher", "lower"] = "higher") -> None:
        super().__init__(crop_border=0, test_y_channel=True, better=better)


@METRICS.register()
class AllWeatherSSIM(SSIM):
    """SSIM on Y of 8-bit images, Gaussian window of 11, no border left out (AllWeather tables).

    Args:
        better: larger is better.
    """

    protocol = "AllWeather"

    def __init__(self, *, better: Literal["higher", "lower"] = "higher") -> None:
        super().__init__(crop_border=0, test_y_channel=True, better=better)
