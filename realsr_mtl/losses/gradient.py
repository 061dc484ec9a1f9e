"""The difference of image gradients: edges count, brightness does not."""

from __future__ import annotations

from torch import Tensor

from realsr_mtl.losses.base import LOSSES, ImageLoss


@LOSSES.register()
class GradientLoss(ImageLoss):
    """Mean absolute difference of neighbouring-pixel differences.

    With ``e = prediction - target``: ``(mean |e[y + 1, x] - e[y, x]| + mean |e[y, x + 1] - e[y,
    x]|) / 2`` for each sample, the gradient difference loss of Mathieu et al. (ICLR 2016) with
    exponent 1, but of signed differences. It does not see a constant offset: use it beside a pixel
    loss.
    """

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The mean over both directions."""
        error = prediction - target
        if min(error.shape[-2:]) < 2:
            raise ValueError("the gradient of an image needs two pixels in each direction")
        return (error.diff(dim=-2).abs().mean((1, 2, 3)) + _across(error)) / 2


def _across(error: Tensor) -> Tensor:
    return error.diff(dim=-1).abs().mean((1, 2, 3))
