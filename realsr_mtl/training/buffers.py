"""What forward passes change in networks: running statistics, queues, power iterations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class KeptBuffers:
    """The buffers of networks as they are now.

    Args:
        networks: on their device.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self._kept = [(own, own.clone()) for network in networks for own in network.buffers()]

    @torch.no_grad()
    def put_back(self) -> None:
        """Undo every change since."""
        for own, kept in self._kept:
            own.copy_(kept)
