"""Blur kernels in closed form, and their application with reflected borders.

Kernels of Real-ESRGAN (Wang et al., ICCVW 2021): Gaussian, generalised Gaussian and plateau
densities, and the circular low-pass filter ("sinc"). Written from the formulas with the given
shape parameter, so that a recorded beta stays what it is; public samplers draw it anew.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

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
        size: ``[B]`` odd width in pixels, at most 21.
        sigma_x: ``[B]`` standard deviation in pixels along the first axis.
        sigma_y: ``[B]`` along the second axis; the isotropic kinds use ``sigma_x`` for both.
        rotation: ``[B]`` angle in radians.
        beta: ``[B]`` shape of the generalised and plateau kinds.
        cutoff: ``[B]`` cut-off frequency of the sinc kind in radians per pixel.

    Returns:
        Float32 ``[B, 21, 21]``, zero outside each kernel's own size, sum 1.
    """
    kind = kind.long()[:, None, None]
    half = MAX_KERNEL_SIZE // 2
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


def blur(image: Tensor, kernels: Tensor) -> Tensor:
    """Correlate every sample with its own kernel, borders reflected.

    Args:
        image: ``[B, C, H, W]``.
        kernels: ``[B, K, K]`` with odd K.

    Returns:
        ``[B, C, H, W]``.
    """
    batch, channels, height, width = image.shape
    side = kernels.shape[-1]
    padded = reflect_pad(image, side // 2)
    stacked = padded.reshape(1, batch * channels, *padded.shape[-2:])
    weight = kernels.repeat_interleave(channels, 0)[:, None]
    return F.conv2d(stacked, weight, groups=batch * channels).reshape(
        batch, channels, height, width
    )
