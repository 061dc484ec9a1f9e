"""The base of metrics: images in grey levels in, one number out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.errors import UserError
from realsr_mtl.registry import Registry

Image = npt.NDArray[np.uint8]
"""``[H, W, 3]`` RGB, 8 bits."""

Levels = npt.NDArray[Any]
"""``[H, W, 3]`` RGB in grey levels 0 to 255, 8 bits or float32."""


_LUMA = np.array([[65.481, 128.553, 24.966, 16.0 * 255]]) / 255  # weights of R, G, B; offset


class Metric(ABC):
    """Scores one restored image against its reference.

    Attributes:
        better: "higher" or "lower".
        needs_reference: False for no-reference metrics.
        rounds: whether the restored image is rounded to 8 bits first, as any image file is.
        protocol: whose tables the numbers compare with; "" for the super-resolution field's.
    """

    needs_reference = True
    rounds = True
    protocol = ""

    def __init__(self, crop_border: int, better: Literal["higher", "lower"]) -> None:
        if crop_border < 0:
            raise ValueError(f"crop_border must not be negative, found {crop_border}")
        self.crop_border = crop_border
        self.better = better

    @abstractmethod
    def score(self, image: Levels, reference: Levels | None) -> float:
        """The metric of an image whose border is already cut off."""

    def __call__(self, image: Levels, reference: Image | None) -> float:
        """Score RGB ``[H, W, 3]`` images of equal size; 8 bits where the metric rounds."""
        if reference is not None and image.shape != reference.shape:
            raise UserError(
                f"restored image {image.shape[:2]} and reference {reference.shape[:2]} differ in "
                "size; check the scale"
            )
        cut = self.crop_border
        if min(image.shape[:2]) <= 2 * cut:
            raise UserError(f"an image of {image.shape[:2]} pixels has nothing inside crop {cut}")
        inner = (slice(cut, -cut or None), slice(cut, -cut or None))
        return self.score(image[inner], None if reference is None else reference[inner])


def to_uint8(image: Tensor) -> Image:
    """``[3, H, W]`` in [0, 1] to 8-bit ``[H, W, 3]``: clamp, scale by 255, round."""
    levels = (image.detach().float().clamp(0, 1) * 255).round()
    return levels.byte().permute(1, 2, 0).cpu().numpy()


def to_levels(image: Tensor) -> Levels:
    """``[3, H, W]`` in [0, 1] to float32 ``[H, W, 3]`` in [0, 255]: clamp, scale, no rounding."""
    levels = image.detach().float().clamp(0, 1) * 255
    return levels.permute(1, 2, 0).contiguous().cpu().numpy()


def luma(image: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Y of ITU-R BT.601 in [16, 235], not rounded; ``[H, W]``. BasicSR's definition."""
    return np.asarray(cv2.transform(image.astype(np.float64), _LUMA))


METRICS: Registry[Metric] = Registry("metric")
