"""Pixel operators: pure functions of ``[B, C, H, W]`` in [0, 1] and per-sample parameters.

Every one exists twice: on arrays with OpenCV, for a CPU, and with tensor operations on a canvas of
samples of several sizes, for other devices.
"""

from realsr_mtl.degradations.operators.blur import KERNEL_TYPES, blur, blur_kernels
from realsr_mtl.degradations.operators.jpeg import jpeg
from realsr_mtl.degradations.operators.jpeg_simulation import simulate_jpeg
from realsr_mtl.degradations.operators.noise import NOISE_TYPES, gaussian_noise, poisson_noise
from realsr_mtl.degradations.operators.quantise import quantise
from realsr_mtl.degradations.operators.resize import RESIZE_MODES, imresize, resize
from realsr_mtl.degradations.operators.sharpen import usm_sharpen

__all__ = [
    "KERNEL_TYPES",
    "NOISE_TYPES",
    "RESIZE_MODES",
    "blur",
    "blur_kernels",
    "gaussian_noise",
    "imresize",
    "jpeg",
    "poisson_noise",
    "quantise",
    "resize",
    "simulate_jpeg",
    "usm_sharpen",
]
