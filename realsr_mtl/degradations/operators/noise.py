"""Gaussian and Poisson noise whose realisation comes from a seed of each sample."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from realsr_mtl.degradations.streams import normal_field, uniform_field

_LUMA = (0.2989, 0.587, 0.114)  # weights of torchvision's rgb_to_grayscale, as Real-ESRGAN uses


def gaussian_noise(image: Tensor, sigma: Tensor, grey: Tensor, seed: Tensor) -> Tensor:
    """Add ``sigma / 255 * n`` with ``n`` standard normal.

    Args:
        image: ``[B, C, H, W]``.
        sigma: ``[B]`` standard deviation in grey levels of 255.
        grey: ``[B]`` bool; one field for all channels of the sample.
        seed: int64 ``[B]``; every sample has its own field, grey or not.

    Returns:
        ``[B, C, H, W]`` clamped to [0, 1].
    """
    field = normal_field(seed, tuple(image.shape[1:]))
    field = torch.where(grey[:, None, None, None], field[:, :1], field)
    return (image + field * (sigma.float() / 255)[:, None, None, None]).clamp(0, 1)


def poisson_noise(image: Tensor, scale: Tensor, grey: Tensor, seed: Tensor) -> Tensor:
    """Add ``scale * (k / v - x)`` with ``k ~ Poisson(x v)``.

    ``x`` is the image at 8 bits (its luma for grey noise), ``v = 2^ceil(log2 n)`` with ``n`` the
    number of different levels in the sample: the rule of Real-ESRGAN.

    Args:
        image: ``[B, C, H, W]``.
        scale: ``[B]`` strength, without unit.
        grey: ``[B]`` bool; one field, made from the luma, for all channels.
        seed: int64 ``[B]``.

    Returns:
        ``[B, C, H, W]`` clamped to [0, 1].
    """
    noise = torch.empty_like(image)
    for i in range(len(image)):
        source = image[i]
        if grey[i]:
            weights = torch.tensor(_LUMA, device=image.device)
            source = (source * weights[:, None, None]).sum(0, keepdim=True)
        noise[i] = _poisson_field(source, seed[i : i + 1])
    return (image + noise * scale.float()[:, None, None, None]).clamp(0, 1)


def _poisson_field(image: Tensor, seed: Tensor) -> Tensor:
    levels = (image * 255).round().clamp(0, 255).long()
    distinct = int((torch.bincount(levels.flatten(), minlength=256) > 0).sum())
    peak = 1 << (distinct - 1).bit_length()
    u = uniform_field(seed, tuple(image.shape))[0]
    table, width = _poisson_table(peak)
    # one sorted table for all levels: row l holds l + P(k <= n), so a search in it inverts row l
    wanted = (levels.double() + u).contiguous()  # torch warns about other layouts
    found = torch.searchsorted(table.to(image.device), wanted, right=True)
    count = found - levels * width
    return (count.double() / peak - levels.double() / 255).float()


@functools.cache
def _poisson_table(peak: int) -> tuple[Tensor, int]:
    """Cumulative Poisson distributions for the means ``level / 255 * peak``, flattened."""
    width = peak + 10 * int(peak**0.5) + 20  # the tail beyond is below 1e-16
    mean = torch.arange(256, dtype=torch.float64)[:, None] * (peak / 255)
    k = torch.arange(width, dtype=torch.float64)[None, :]
    log_p = torch.xlogy(k, mean) - mean - torch.lgamma(k + 1)
    cdf = torch.cumsum(torch.exp(log_p), dim=1).clamp(max=1.0)
    cdf[:, -1] = 1.0
    return (torch.arange(256, dtype=torch.float64)[:, None] + cdf).flatten(), width
