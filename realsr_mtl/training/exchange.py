"""Gradients that are averaged over processes, and when that waits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch.nn.parallel import DistributedDataParallel

from realsr_mtl.processes import Processes


def exchanging(network: Any, processes: Processes, find_unused: bool = False) -> Any:
    """What to call instead of a network so that all processes get the mean gradient.

    Args:
        network: on the training device.
        processes: with one of them, the network itself comes back.
        find_unused: some weights get no gradient in some steps.
    """
    if processes.world_size == 1:
        return network
    cuda = processes.device.type == "cuda"
    return DistributedDataParallel(
        network,
        device_ids=[processes.device] if cuda else None,
        find_unused_parameters=find_unused,
    )


def without_exchange(runner: Any, wanted: bool) -> AbstractContextManager[None]:
    """Processes do not exchange gradients inside the block, if that is wanted."""
    if wanted and isinstance(runner, DistributedDataParallel):
        return runner.no_sync()
    return nullcontext()
