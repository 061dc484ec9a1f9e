"""A batch through the network to the losses of its samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.archs import Contrast, TaskHeads
from realsr_mtl.batch import TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes
from realsr_mtl.training.exchange import without_exchange
from realsr_mtl.training.loss_terms import Judge, LossTerms, Restored, StepLosses
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
        judge: the discriminator, if there is one.
        average: the averaged network, if a loss looks at its output.

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
        judge: Judge | None = None,
        average: nn.Module | None = None,
    ) -> None:
        self.network = network
        self.precision = precision
        self._runner, self._terms = runner, terms
        self._streams, self._processes = streams, processes
        self._encoder_batches = terms.encoder_iter * accum_iter
        self._accum, self._judge, self._average = accum_iter, judge, average
        self.gate: Tensor | None = None
        if isinstance(network, TaskHeads):
            network.bind(tasks)
            if isinstance(average, TaskHeads):
                average.bind(tasks)
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
                parts = self._by_heads(runner(lq, batch.task, self.gate), batch, lq)
            elif batch.key is None:
                parts = [self._whole(runner(lq), batch, lq)]
            else:
                compared = self._laid_out(batch.key)
                output, contrast = runner(lq, compared, not self.restores(number))
                parts = [] if output is None else [self._whole(output, batch, lq)]
        iteration = number // self._accum
        return self._terms(parts, batch.task, contrast, self._judge, iteration)

    def _whole(self, output: Tensor, batch: TaskBatch, lq: Tensor) -> Restored:
        everything = torch.arange(len(batch.task), device=batch.task.device)
        average = None
        if self._average is not None:
            with torch.no_grad():
                average = self._average(lq)
        return Restored(output, batch.gt, everything, batch.plain, average)

    def _by_heads(
        self, outputs: Sequence[tuple[Tensor, Tensor]], batch: TaskBatch, lq: Tensor
    ) -> list[Restored]:
        averages: Sequence[Tensor | None] = [None] * len(outputs)
        if self._average is not None:
            with torch.no_grad():
                averages = [output for _, output in self._average(lq, batch.task)]
        return [
            Restored(
                output,
                target_of(batch.gt[where], output),
                where,
                None if batch.plain is None else target_of(batch.plain[where], output),
                average,
            )
            for (where, output), average in zip(outputs, averages, strict=True)
        ]

    def restores(self, number: int) -> bool:
        """Whether a micro-batch is restored, and not only compared with its partners."""
        return number >= self._encoder_batches

    def _laid_out(self, image: Tensor) -> Tensor:
        return image.contiguous(memory_format=self.precision.memory_format)

    def without_exchange(self, wanted: bool) -> AbstractContextManager[None]:
        """Processes do not exchange gradients inside the block, if that is wanted."""
        return without_exchange(self._runner, wanted)

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
