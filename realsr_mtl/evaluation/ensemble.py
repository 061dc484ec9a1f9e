"""Self-ensemble: a network's mean over the eight ways to lay an image."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor


def self_ensemble(run: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """``mean_g g^-1(run(g(image)))`` over the eight flips and transpositions ``g`` of a square.

    Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution" (EDSR), CVPR
    Workshops 2017: the "+" behind names in tables. Eight runs; a network that commutes with flips
    and transpositions gives the same image as without.

    Args:
        run: ``[B, C, h, w]`` to ``[B, C, s h, s w]``.
        image: ``[B, C, h, w]``.

    Returns:
        ``[B, C, s h, s w]``.
    """
    total = torch.zeros(())
    for transposed, *flipped in itertools.product((False, True), repeat=3):
        sides = [side for side, flip in zip((-2, -1), flipped, strict=True) if flip]
        laid = image.mT if transposed else image
        restored = run(laid.flip(sides)).flip(sides)
        total = total + (restored.mT if transposed else restored)
    return total / 8
