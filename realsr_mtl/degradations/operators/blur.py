"""Blur kernels in closed form, and their application with reflected borders.

Kernels of Real-ESRGAN (Wang et al., ICCVW 2021): Gaussian, generalised Gaussian and plateau
densities, and the circular low-pass filter ("sinc"). Written from the formulas with the given
shape parameter, so that a recorded beta stays what it is; public samplers draw it anew.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.degradations.operators import canvas
from realsr_mtl.degradations.operators.padding import reflect_pad

KERNEL_TYPES = (
    "iso",
    "aniso",
    "generalized_iso",
    "generalized_aniso",
    "plateau_iso",
    "plateau_aniso",
    "sinc",
    "none",
)
"""Kernel families; a record holds the position in this list."""

MAX_KERNEL_SIZE = 21
_SINC, _NONE = KERNEL_TYPES.index("sinc"), KERNEL_TYPES.index("none")


def blur_kernels(
    kind: Tensor,
    size: Tensor,
    sigma_x: Tensor,
    sigma_y: Tensor,
    rotation: Tensor,
    beta: Tensor,
    cutoff: Tensor,
    largest: int = MAX_KERNEL_SIZE,
) -> Tensor:
    """Kernels with one set of parameters per sample.

    With ``q = x^T S^-1 x``, ``S = R diag(sigma_x^2, sigma_y^2) R^T``:

    - Gaussian: ``exp(-q / 2)``
    - generalised Gaussian: ``exp(-q^beta / 2)``
    - plateau: ``1 / (1 + q^beta)``
    - sinc: ``cutoff J1(cutoff r) / (2 pi r)``, ``cutoff^2 / (4 pi)`` at the centre
    - none: the unit pulse

    Args:
        kind: ``[B]`` position in `KERNEL_TYPES`.
        size: ``[B]`` odd width in pixels, at most ``largest``.
        sigma_x: ``[B]`` standard deviation in pixels along the first axis.
        sigma_y: ``[B]`` along the second axis; the isotropic kinds use ``sigma_x`` for both.
        rotation: ``[B]`` angle in radians.
        beta: ``[B]`` shape of the generalised and plateau kinds.
        cutoff: ``[B]`` cut-off frequency of the sinc kind in radians per pixel.
        largest: odd width of the result.

    Returns:
        Float32 ``[B, largest, largest]``, zero outside each kernel's own size, sum 1.
    """
    kind = kind.long()[:, None, None]
    half = largest // 2
    axis = torch.arange(-half, half + 1, dtype=torch.float64, device=kind.device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    size, sigma_x, sigma_y, rotation, beta, cutoff = (
        v.double()[:, None, None] for v in (size, sigma_x, sigma_y, rotation, beta, cutoff)
    )
    anisotropic = (kind < _SINC) & (kind % 2 == 1)
    sigma_x = sigma_x.where(kind < _SINC, torch.ones_like(sigma_x))
    sigma_y = sigma_y.where(anisotropic, sigma_x)
    angle = rotation.where(anisotropic, torch.zeros_like(rotation))
    along = (torch.cos(angle) * x + torch.sin(angle) * y) / sigma_x
    across = (-torch.sin(angle) * x + torch.cos(angle) * y) / sigma_y
    q = along**2 + across**2
    family = kind // 2
    power = q ** beta.where((family == 1) | (family == 2), torch.ones_like(beta))
    kernel = torch.where(family == 2, 1 / (1 + power), torch.exp(-0.5 * power))
    radius = torch.sqrt(x**2 + y**2)
    ring = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * torch.pi * radius)
    centre = (radius == 0).expand_as(kernel)
    sinc = torch.where(centre, cutoff**2 / (4 * torch.pi), ring)
    kernel = torch.where(kind == _SINC, sinc, kernel)
    kernel = torch.where(kind == _NONE, centre.double(), kernel)
    reach = torch.maximum(x.abs(), y.abs())
    kernel = kernel.where((reach <= (size - 1) / 2) | (kind == _NONE), torch.zeros_like(kernel))
    return (kernel / kernel.sum((1, 2), keepdim=True)).float()


def blur(image: Tensor, kernels: Tensor, sizes: Tensor | None = None) -> Tensor:
    """Correlate every sample with its own kernel, borders reflected.

    Args:
        image: ``[B, C, H, W]``.
        kernels: ``[B, K, K]`` with odd K.
        sizes: ``[B, 2]`` valid heights and widths, if smaller than the canvas.

    Returns:
        ``[B, C, H, W]``; on a CPU equal to the exact sum within 1e-6.

    Raises:
        ValueError: kernels without a middle.
    """
    if kernels.shape[-1] % 2 == 0:
        raise ValueError(f"kernels must have an odd width, found {kernels.shape[-1]}")
    if canvas.by_arrays(image):
        own = [trimmed(k) for k in kernels.float().numpy()]
        return canvas.map_pixels(lambda i, pixels: blur_pixels(pixels, own[i]), image, sizes)
    batch, channels, height, width = image.shape
    side = kernels.shape[-1]
    padded = reflect_pad(image, side // 2, sizes=sizes)
    stacked = padded.reshape(1, batch * channels, *padded.shape[-2:])
    weight = kernels.to(image.device).repeat_interleave(channels, 0)[:, None]
    return F.conv2d(stacked, weight, groups=batch * channels).reshape(
        batch, channels, height, width
    )


Kernel = npt.NDArray[np.float32]
_BORDER = cv2.BORDER_REFLECT_101
_NEGLIGIBLE = 1e-7  # of a kernel's sum: near the rounding of a float32 pixel


def trimmed(kernel: Kernel) -> Kernel:
    """A kernel ``[K, K]`` without the outer rings that hold next to nothing."""
    size = np.abs(kernel)
    middle = len(kernel) // 2
    total = float(size.sum(dtype=np.float64))
    for reach in range(middle + 1):
        inner = slice(middle - reach, middle + reach + 1)
        if total - float(size[inner, inner].sum(dtype=np.float64)) <= _NEGLIGIBLE * total:
            return np.ascontiguousarray(kernel[inner, inner])
    return kernel


def blur_pixels(pixels: canvas.Pixels, kernel: Kernel) -> canvas.Pixels:
    """Correlate ``[H, W, C]`` with a kernel ``[K, K]``, borders reflected.

    In two passes if the kernel is a product, else directly or, from 13 pixels on, by a discrete
    Fourier transform of the whole plane, which takes half the time of OpenCV's own by tiles.
    """
    middle = len(kernel) // 2
    row, centre = kernel[middle], kernel[middle, middle]
    if centre:
        column = kernel[:, middle] / centre
        if np.abs(np.outer(column, row) - kernel).sum() <= 5 * _NEGLIGIBLE:
            result = cv2.sepFilter2D(pixels, -1, row, column, borderType=_BORDER)
            return np.asarray(result).reshape(pixels.shape)
    if len(kernel) < 13:
        result = cv2.filter2D(pixels, -1, kernel, borderType=_BORDER)
    else:
        result = _blur_by_dft(pixels, kernel)
    return np.asarray(result).reshape(pixels.shape)


def _blur_by_dft(pixels: canvas.Pixels, kernel: Kernel) -> canvas.Pixels:
    side, reach = len(kernel), len(kernel) // 2
    height, width = pixels.shape[:2]
    # multiples of 16 are transformed twice as fast as other sizes
    rows, columns = (16 * cv2.getOptimalDFTSize(-(-(n + 2 * reach) // 16)) for n in (height, width))
    padded = cv2.copyMakeBorder(
        pixels, reach, rows - height - reach, reach, columns - width - reach, _BORDER
    )
    large = np.zeros((rows, columns), np.float32)
    large[:side, :side] = kernel
    spectrum = cv2.dft(large, nonzeroRows=side)
    flags = cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT
    planes = []
    for plane in cv2.split(padded):
        product = cv2.mulSpectrums(cv2.dft(plane), spectrum, 0, conjB=True)
        planes.append(cv2.idft(product, flags=flags)[:height, :width])
    return np.asarray(cv2.merge(planes))
