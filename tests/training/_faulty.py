"""A loss that is not finite on black images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.losses import LOSSES
from realsr_mtl.losses.base import ImageLoss


class RelativeLoss(ImageLoss):
    """Absolute error over the mean of the target."""

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``mean |x - y| / mean y``."""
        return (prediction - target).abs().mean((1, 2, 3)) / target.mean((1, 2, 3))


class RootLoss(ImageLoss):
    """The root of the target's mean: its gradient is infinite on black images, the value is not."""

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``sqrt(mean y + 0 x)``."""
        return (target.mean((1, 2, 3)) + 0 * prediction.mean((1, 2, 3))).sqrt()


def register(patch: pytest.MonkeyPatch) -> None:
    """Make the losses known for one test."""
    patch.setitem(LOSSES._factories, "RelativeLoss", RelativeLoss)
    patch.setitem(LOSSES._factories, "RootLoss", RootLoss)


RELATIVE = "train:losses={relative: {type: RelativeLoss, loss_weight: 0.1}}"
ROOT = "train:losses={root: {type: RootLoss, loss_weight: 0.1}}"


def blacken(make_images: Callable[..., Path], folder: str = "hr") -> None:
    """Make five training images, the third of them black."""
    made = make_images(folder, count=5, size=(48, 56))
    cv2.imwrite(str(made / "img_002.png"), np.zeros((48, 56, 3), np.uint8))
