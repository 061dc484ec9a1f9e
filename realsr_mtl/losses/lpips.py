"""LPIPS as a loss."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor

from realsr_mtl.errors import UserError
from realsr_mtl.losses.base import LOSSES
from realsr_mtl.losses.network import NetworkLoss
from realsr_mtl.metrics.lpips import SMALLEST, lpips_network


@LOSSES.register()
class LPIPSLoss(NetworkLoss):
    """Learned perceptual distance (Zhang et al., CVPR 2018) of each sample, on RGB in [0, 1].

    With features ``f_l`` of unit length at every place, and the published weights ``w_l`` of their
    channels: ``sum_l mean over places of sum_C w_l (f_l(x) - f_l(y))^2``, version 0.1 of the lpips
    package. The metric of the same name is the same number for images of 8 bits.

    Args:
        net: backbone: alex (fast; the authors' for measuring), vgg (the authors' for training) or
            squeeze.
    """

    def __init__(self, *, net: Literal["alex", "vgg", "squeeze"] = "vgg", **others: Any) -> None:
        super().__init__(lpips_network(net), **others)
        self.net = net

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The distance, 0 for equal images."""
        if min(prediction.shape[-2:]) < SMALLEST[self.net]:
            raise UserError(
                f"LPIPS with {self.net} needs {SMALLEST[self.net]} pixels in each direction, found "
                f"{tuple(prediction.shape[-2:])}"
            )
        return self.network(2 * prediction - 1, 2 * target - 1).flatten()
