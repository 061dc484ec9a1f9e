"""Pixel operators: pure functions of ``[B, C, H, W]`` in [0, 1] and per-sample parameters."""

from realsr_mtl.degradations.operators.blur import KERNEL_TYPES, blur, blur_kernels
from realsr_mtl.degradations.operators.jpeg import jpeg
from realsr_mtl.degradations.operators.jpeg_simulation import simulate_jpeg
from realsr_mtl.degradations.operators.noise import gaussian_noise, poisson_noise
from realsr_mtl.degradations.operators.resize import RESIZE_MODES, imresize, resize
from realsr_mtl.degradations.operators.sharpen import usm_sharpen

__all__ = [
    "KERNEL_TYPES",
    "RESIZE_MODES",
    "blur",
    "blur_kernels",
    "gaussian_noise",
    "imresize",
    "jpeg",
    "poisson_noise",
    "resize",
    "simulate_jpeg",
    "usm_sharpen",
]
