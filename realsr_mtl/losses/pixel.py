"""Pixel losses: L1, MSE and Charbonnier."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.losses.base import LOSSES, ImageLoss


class PixelLoss(ImageLoss):
    """``loss_weight * mean over C, H, W of d(prediction - target)`` for each sample.

    Args:
        reduction: BasicSR's key; always the mean over the pixels of a sample.
    """

    def __init__(self, *, reduction: Literal["mean"] = "mean", **others: Any) -> None:
        super().__init__(**others)
        self.reduction = reduction

    @abstractmethod
    def distance(self, difference: Tensor) -> Tensor:
        """Element by element."""

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean of `distance`."""
        return self.distance(prediction - target).mean((1, 2, 3))


@LOSSES.register()
class L1Loss(PixelLoss):
    """Absolute error, ``d(x) = |x|``."""

    def distance(self, difference: Tensor) -> Tensor:
        """``|x|``."""
        return difference.abs()


@LOSSES.register()
class MSELoss(PixelLoss):
    """Squared error, ``d(x) = x^2``."""

    def distance(self, difference: Tensor) -> Tensor:
        """``x^2``."""
        return difference.square()


@LOSSES.register()
class CharbonnierLoss(PixelLoss):
    """Smooth absolute error (Lai et al., CVPR 2017), ``d(x) = sqrt(x^2 + eps)``.

    Args:
        eps: BasicSR's 1e-12.
    """

    def __init__(self, *, eps: float = 1e-12, **others: Any) -> None:
        super().__init__(**others)
        self.eps = eps

    def distance(self, difference: Tensor) -> Tensor:
        """``sqrt(x^2 + eps)``."""
        return torch.sqrt(difference.square() + self.eps)
