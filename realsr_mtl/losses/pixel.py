"""Pixel losses: L1, MSE and Charbonnier."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from realsr_mtl.registry import Registry

LOSSES: Registry[PixelLoss] = Registry("loss")


class PixelLoss(nn.Module):
    """``loss_weight * mean over C, H, W of d(prediction - target)`` for each sample.

    Shape: two times ``[B, C, H, W]`` to float32 ``[B]``.

    Args:
        loss_weight: factor of the loss.
        reduction: BasicSR's key; always the mean over the pixels of a sample.
    """

    def __init__(self, *, loss_weight: float = 1.0, reduction: Literal["mean"] = "mean") -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.reduction = reduction

    @abstractmethod
    def distance(self, difference: Tensor) -> Tensor:
        """Element by element."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Loss of each sample ``[B]``, computed in float32."""
        if prediction.shape != target.shape:
            raise ValueError(
                f"prediction {tuple(prediction.shape)} and target {tuple(target.shape)} differ"
            )
        difference = prediction.float() - target.float()
        return self.loss_weight * self.distance(difference).mean((1, 2, 3))


@LOSSES.register()
class L1Loss(PixelLoss):
    """Absolute error, ``d(x) = |x|``.

    Args:
        loss_weight: factor of the loss.
        reduction: BasicSR's key; always the mean over the pixels of a sample.
    """

    def distance(self, difference: Tensor) -> Tensor:
        """``|x|``."""
        return difference.abs()


@LOSSES.register()
class MSELoss(PixelLoss):
    """Squared error, ``d(x) = x^2``.

    Args:
        loss_weight: factor of the loss.
        reduction: BasicSR's key; always the mean over the pixels of a sample.
    """

    def distance(self, difference: Tensor) -> Tensor:
        """``x^2``."""
        return difference.square()


@LOSSES.register()
class CharbonnierLoss(PixelLoss):
    """Smooth absolute error (Lai et al., CVPR 2017), ``d(x) = sqrt(x^2 + eps)``.

    Args:
        loss_weight: factor of the loss.
        reduction: BasicSR's key; always the mean over the pixels of a sample.
        eps: BasicSR's 1e-12.
    """

    def __init__(
        self,
        *,
        loss_weight: float = 1.0,
        reduction: Literal["mean"] = "mean",
        eps: float = 1e-12,
    ) -> None:
        super().__init__(loss_weight=loss_weight, reduction=reduction)
        self.eps = eps

    def distance(self, difference: Tensor) -> Tensor:
        """``sqrt(x^2 + eps)``."""
        return torch.sqrt(difference.square() + self.eps)
