"""A batch through the network to the losses of its samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from realsr_mtl.archs import Contrast, TaskHeads
from realsr_mtl.batch import TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes
from realsr_mtl.training.loss_terms import LossTerms, Restored, StepLosses
from realsr_mtl.training.precision import Precision


class Forward:
    """Runs a network in the run's precision and randomness.

    Args:
        network: the network itself.
        runner: what is called: the network, compiled, or wrapped for several processes.
        terms: the losses.
        tasks: names of the tasks.
        precision: of the run.
        streams: the run's random streams.
        processes: this process among all.
        accum_iter: micro-batches of a step.

    Attributes:
        gate: ``[T]``, for a network with heads: factors of the gradient that every task sends back
            to the trunk, read when it passes; else None.
    """

    def __init__(
        self,
        network: nn.Module,
        runner: Any,
        terms: LossTerms,
        tasks: Sequence[str],
        precision: Precision,
        streams: RandomStreams,
        processes: Processes,
        accum_iter: int = 1,
    ) -> None:
        self.network = network
        self.precision = precision
        self._runner, self._terms = runner, terms
        self._streams, self._processes = streams, processes
        self._encoder_batches = terms.encoder_iter * accum_iter
        self.gate: Tensor | None = None
        if isinstance(network, TaskHeads):
            network.bind(tasks)
            self.gate = torch.ones(len(tasks), device=processes.device)

    def __call__(self, batch: TaskBatch, number: int, alone: bool = False) -> StepLosses:
        """Losses of every sample with their graph.

        Args:
            batch: samples.
            number: of the micro-batch; decides dropout and stochastic depth.
            alone: run the network itself, so that no process waits for the others.
        """
        lq = self._laid_out(batch.lq)
        runner = self.network if alone else self._runner
        contrast: Contrast | None = None
        with self._randomness(number), self.precision.autocast():
            if self.gate is not None:
                outputs = runner(lq, batch.task, self.gate)
                parts = [Restored(out, target_of(batch.gt[at], out), at) for at, out in outputs]
                return self._terms(parts, batch.task, None)
            if batch.key is None:
                output = runner(lq)
            else:
                compared = self._laid_out(batch.key)
                output, contrast = runner(lq, compared, not self.restores(number))
        everything = torch.arange(len(batch.task), device=batch.task.device)
        parts = [] if output is None else [Restored(output, batch.gt, everything)]
        return self._terms(parts, batch.task, contrast)

    def restores(self, number: int) -> bool:
        """Whether a micro-batch is restored, and not only compared with its partners."""
        return number >= self._encoder_batches

    def _laid_out(self, image: Tensor) -> Tensor:
        return image.contiguous(memory_format=self.precision.memory_format)

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


def target_of(gt: Tensor, output: Tensor) -> Tensor:
    """The part of ``[B, 3, H, W]`` that holds the target of an output, which may be smaller."""
    return gt[..., : output.shape[-2], : output.shape[-1]]
