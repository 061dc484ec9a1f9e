"""The contrast between crops of one image and crops of others."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.losses.base import LOSSES, Loss


@LOSSES.register()
class ContrastiveLoss(Loss):
    """Cross-entropy of the similarities of a crop to its partner and to other crops (InfoNCE).

    For networks that compare a second crop of every degraded image with the first, such as AirNet
    (Li et al., CVPR 2022), where it trains the degradation encoder. The crops are cut for it.

    Shape: similarities ``[B, 1 + N]``, the partner's first, and int64 ``[B]`` of zeros to
    float32 ``[B]``.

    Args:
        loss_weight: factor of the loss; AirNet's 0.1.
        encoder_iter: steps, at the start of a run, in which this is the only loss and the image is
            not restored; AirNet's first 100 of 1000 epochs.
        weighted: whether the strategy's task weights act on it.
    """

    def __init__(
        self,
        *,
        loss_weight: float = 0.1,
        encoder_iter: int = 0,
        weighted: bool = False,
        **others: Any,
    ) -> None:
        super().__init__(loss_weight=loss_weight, weighted=weighted, **others)
        if encoder_iter < 0:
            raise ValueError(f"encoder_iter must not be negative, found {encoder_iter}")
        self.encoder_iter = encoder_iter

    def each(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The cross-entropy of each sample."""
        return F.cross_entropy(prediction.float(), target, reduction="none")
