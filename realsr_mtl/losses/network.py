"""The base of losses that a trained network measures."""

from __future__ import annotations

from typing import Any

from torch import nn

from realsr_mtl.losses.base import ImageLoss


class NetworkLoss(ImageLoss):
    """A loss in the features of a network that does not learn.

    The network becomes part of the loss, frozen and in evaluation mode for good. It runs in float32
    whatever the precision of the run: the loss is a difference of features that come close to each
    other, of which bfloat16's 8 bits would leave little. The features of the target have no graph.

    Args:
        weighted: whether the strategy's task weights act on it.
    """

    def __init__(self, network: nn.Module, *, weighted: bool = False, **others: Any) -> None:
        super().__init__(weighted=weighted, **others)
        self.network = network.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> NetworkLoss:
        """Stays in evaluation mode: dropout and batch normalisation would change the network."""
        return super().train(False)
