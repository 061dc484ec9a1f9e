"""Inputs that many tests share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def photograph(height: int, width: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """A smooth colour image with edges and texture, ``[H, W, 3]`` RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    channels = []
    for _ in range(3):
        fx, fy, phase = rng.uniform(0.02, 0.25), rng.uniform(0.02, 0.25), rng.uniform(0, 6)
        wave = 0.5 + 0.3 * np.sin(fx * x + fy * y + phase)
        edge = 0.2 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) > rng.uniform(-20, 20))
        channels.append(wave + edge + rng.normal(0, 0.02, (height, width)))
    return (np.stack(channels, -1).clip(0, 1) * 255).round().astype(np.uint8)


def photographs(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
    """``[B, 3, H, W]`` float32 in [0, 1], multiples of 1/255."""
    images = [photograph(height, width, seed + i) for i in range(batch)]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
