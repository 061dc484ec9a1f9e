"""A batch through the network to one loss per sample."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from realsr_mtl.batch import SampleLosses, TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.losses import PixelLoss
from realsr_mtl.processes import Processes
from realsr_mtl.training.precision import Precision


class Forward:
    """Runs a network in the run's precision and randomness.

    Args:
        network: the network itself.
        runner: what is called: the network, compiled, or wrapped for several processes.
        loss: per-sample loss.
        precision: of the run.
        streams: the run's random streams.
        processes: this process among all.
    """

    def __init__(
        self,
        network: nn.Module,
        runner: Any,
        loss: PixelLoss,
        precision: Precision,
        streams: RandomStreams,
        processes: Processes,
    ) -> None:
        self.network = network
        self.precision = precision
        self._runner, self._loss = runner, loss
        self._streams, self._processes = streams, processes

    def __call__(self, batch: TaskBatch, number: int, alone: bool = False) -> SampleLosses:
        """Losses ``[B]`` with their graph.

        Args:
            batch: samples.
            number: of the micro-batch; decides dropout and stochastic depth.
            alone: run the network itself, so that no process waits for the others.
        """
        lq = batch.lq.contiguous(memory_format=self.precision.memory_format)
        with self._randomness(number), self.precision.autocast():
            output = (self.network if alone else self._runner)(lq)
        return self._loss(output, batch.gt)

    def without_exchange(self, wanted: bool) -> AbstractContextManager[None]:
        """Processes do not exchange gradients inside the block, if that is wanted."""
        if wanted and isinstance(self._runner, DistributedDataParallel):
            return self._runner.no_sync()
        return nullcontext()

    @contextmanager
    def _randomness(self, number: int) -> Iterator[None]:
        """Dropout and stochastic depth draw from the run's seed, not from the process's state."""
        processes = self._processes
        index = torch.tensor([number * processes.world_size + processes.rank])
        seed = int(self._streams.seeds("network", index, 1))
        cuda = processes.device.type == "cuda"
        with torch.random.fork_rng(devices=[processes.device] if cuda else []):
            torch.default_generator.manual_seed(seed)
            if cuda:
                torch.cuda.manual_seed(seed)
            yield
