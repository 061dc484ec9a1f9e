"""Image quality metrics on RGB images, with BasicSR's names and conventions."""

from realsr_mtl.metrics.airnet import AirNetPSNR, AirNetSSIM
from realsr_mtl.metrics.allweather import AllWeatherPSNR, AllWeatherSSIM
from realsr_mtl.metrics.base import METRICS, Metric
from realsr_mtl.metrics.lpips import LPIPS
from realsr_mtl.metrics.niqe import NIQE
from realsr_mtl.metrics.psnr import PSNR
from realsr_mtl.metrics.ssim import SSIM

__all__ = [
    "LPIPS",
    "METRICS",
    "NIQE",
    "PSNR",
    "SSIM",
    "AirNetPSNR",
    "AirNetSSIM",
    "AllWeatherPSNR",
    "AllWeatherSSIM",
    "Metric",
]
