"""Clamping and rounding to 8 bits, as any image file does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2

Bytes = npt.NDArray[np.uint8]


def quantise(image: Tensor) -> Tensor:
    """Clamp to [0, 1] and round to the nearest multiple of 1/255 (halves to even levels)."""
    return to_levels(image) / 255


def to_levels(image: Tensor) -> Tensor:
    """Grey levels 0 to 255, whole numbers as floats."""
    return (image.clamp(0, 1) * 255).round()


def to_float(image: Tensor) -> Tensor:
    """Float32 in [0, 1] of bytes; other types keep their values."""
    return image.float() / 255 if image.dtype == torch.uint8 else image.float()


def truncated(pixels: npt.NDArray[np.float32]) -> Bytes:
    """Grey levels of an array, rounded down, as AirNet and PromptIR make noisy images."""
    levels = np.floor(np.clip(pixels, 0, 1) * np.float32(255) + np.float32(1e-4))
    return levels.astype(np.uint8)


def to_bytes(pixels: npt.NDArray[np.float32]) -> Bytes:
    """Grey levels of an array of any shape."""
    levels = cv2.convertScaleAbs(np.maximum(pixels, 0), alpha=255)
    return np.asarray(levels).reshape(pixels.shape)


def from_bytes(levels: Bytes) -> npt.NDArray[np.float32]:
    """Grey levels as multiples of 1/255."""
    return np.true_divide(levels, np.float32(255), dtype=np.float32)
