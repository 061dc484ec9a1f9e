"""From micro-batches to the gradient of a step, as the strategy wants it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from realsr_mtl.archs import TaskHeads, shared_parameters
from realsr_mtl.batch import TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import GradientCombination, Strategy
from realsr_mtl.tasks import TaskLosses
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.forward import Forward
from realsr_mtl.training.loss_terms import StepLosses
from realsr_mtl.training.task_gradients import (
    CountSketch,
    LastLayer,
    check_samples_do_not_mix,
    flat_gradient,
    gram_matrix,
    set_gradient,
)

Collect = Callable[[StepLosses, TaskBatch], None]


class Backward:
    """Fills the gradients of the network's parameters.

    Args:
        forward: the network in training.
        strategy: weights and combines.
        streams: the run's random streams.
        processes: this process among all.
        accum_iter: micro-batches of a step.
    """

    def __init__(
        self,
        forward: Forward,
        strategy: Strategy,
        streams: RandomStreams,
        processes: Processes,
        accum_iter: int,
    ) -> None:
        self._forward, self._strategy = forward, strategy
        self._processes, self._accum = processes, accum_iter
        network = forward.network
        self._shared = shared_parameters(network)
        known = {id(p) for p in self._shared}
        rest = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
        self._parameters = [*self._shared, *rest]
        gradients = strategy.gradients
        self._last_layer: LastLayer | None = None
        self._sketch: CountSketch | None = None
        if gradients is None:
            return
        check_samples_do_not_mix(network)
        if gradients.rows == "last_layer":
            trunk = network.trunk if isinstance(network, TaskHeads) else network
            self._last_layer = LastLayer(trunk)
        if gradients.rows == "sketch":
            seed = int(streams.seeds("sketch", torch.tensor([0]), 1))
            self._sketch = CountSketch(
                self._length(self._shared), gradients.sketch_size, seed, processes.device
            )

    def __call__(
        self, iteration: int, batches: Callable[[], TaskBatch], collect: Collect, clock: StepClock
    ) -> list[TaskBatch]:
        """Gradients of the step after ``iteration`` steps; returns its micro-batches."""
        gradients = self._strategy.gradients
        combines = gradients is not None and self._forward.restores(iteration * self._accum)
        if gradients is None or not combines or not gradients.renews(iteration):
            return self._weighted_sum(iteration, batches, collect, clock)
        if self._last_layer is not None:
            return self._from_last_layer(gradients, iteration, batches, collect, clock)
        return self._from_tasks(gradients, iteration, batches, collect, clock)

    def _weighted_sum(
        self, iteration: int, batches: Callable[[], TaskBatch], collect: Collect, clock: StepClock
    ) -> list[TaskBatch]:
        """One backward pass per micro-batch."""
        seen = []
        scaler = self._forward.precision.scaler
        for place in range(self._accum):
            number = iteration * self._accum + place
            batch = batches()
            with self._forward.without_exchange(place < self._accum - 1):
                losses = self._forward(batch, number)
                loss = losses.weighted.mean()
                if losses.by_strategy:
                    loss = self._strategy.loss(
                        losses.weighted, batch.task, number, self._forward.gate
                    )
                scaler.scale(self._with_beside(loss, losses) / self._accum).backward()
            collect(losses, batch)
            clock.mark("model")
            seen.append(batch)
        return seen

    def _from_tasks(
        self,
        gradients: GradientCombination,
        iteration: int,
        batches: Callable[[], TaskBatch],
        collect: Collect,
        clock: StepClock,
    ) -> list[TaskBatch]:
        """The part of every task goes forward and backward by itself."""
        first = iteration * self._accum
        seen = [batches() for _ in range(self._accum)]
        tasks = self._tasks_of(seen)
        gradients.check_count(len(tasks))
        width = self._sketch.size if self._sketch else self._length(self._shared)
        rows = torch.zeros(len(tasks), width, device=tasks.device)
        # gradients that no weight of the combination acts on: of heads, of losses beside it
        plain = torch.zeros(self._length(self._parameters), device=tasks.device)
        weighed = []
        for place, batch in enumerate(seen):
            losses, factors, step = self._add_rows(rows, plain, tasks, batch, first + place)
            weighed.append((factors, step))
            collect(losses, batch)
        rows = self._processes.sum(rows, in_place=True)
        weights = gradients.combine(gram_matrix(rows), tasks, iteration)
        if self._sketch is None:
            plain = self._processes.sum(plain, in_place=True)
            plain[:width] += (weights[tasks] / len(tasks)).float() @ rows
            set_gradient(plain, self._parameters)
        else:
            for place, (batch, (factors, step)) in enumerate(zip(seen, weighed, strict=True)):
                with self._forward.without_exchange(place < self._accum - 1):
                    own = self._forward(batch, first + place)
                    loss = self._combined(own, batch, factors, weights, step)
                    (loss / self._accum).backward()
        clock.mark("model")
        return seen

    def _add_rows(
        self, rows: Tensor, plain: Tensor, tasks: Tensor, batch: TaskBatch, number: int
    ) -> tuple[StepLosses, Tensor, TaskLosses]:
        """Add ``K`` times the gradient of each task's term in the loss of a micro-batch.

        Args:
            rows: ``[K, shared weights]``, or their sketch.
            plain: ``[weights]``, gets what is not combined.
            tasks: int64 ``[K]``.
            batch: the micro-batch.
            number: of it.

        Returns:
            Losses without graph, factors ``[T]`` of the terms, and the losses by task.
        """
        if self._forward.gate is not None:
            self._forward.gate.fill_(1)
        parts = [(batch.task == t).nonzero()[:, 0] for t in tasks]
        own = [
            self._forward(batch.part(part), number, alone=True) if len(part) else None
            for part in parts
        ]
        losses = StepLosses.joined(own, parts, len(batch.task))
        step = self._strategy.measure(losses.weighted, batch.task)
        factors = self._strategy.factors(step, number)
        scales = (factors / step.counts.clamp(min=1))[tasks].float() / self._accum
        samples = len(batch.task) * self._accum * self._processes.world_size
        shared = self._length(self._shared)
        for row, scale, values in zip(rows, scales, own, strict=True):
            if values is None:
                continue
            if values.beside is not None and values.beside.requires_grad:
                plain += flat_gradient(values.beside.sum() / samples, self._parameters, keep=True)
            gradient = flat_gradient(scale * values.weighted.sum(), self._parameters)
            plain[shared:] += gradient[shared:]
            gradient = gradient[:shared] * len(tasks)
            row += self._sketch(gradient) if self._sketch else gradient
        return losses, factors, step

    def _tasks_of(self, batches: Sequence[TaskBatch]) -> Tensor:
        """The tasks that some process has a sample of, int64 ``[K]``."""
        task = torch.cat([batch.task for batch in batches])
        counts = torch.bincount(task, minlength=len(self._strategy.setting))
        return self._processes.sum(counts).nonzero()[:, 0]

    def _combined(
        self,
        losses: StepLosses,
        batch: TaskBatch,
        factors: Tensor,
        weights: Tensor,
        step: TaskLosses,
    ) -> Tensor:
        loss = self._strategy.combined(
            losses.weighted, batch.task, factors, weights, step, self._forward.gate
        )
        return self._with_beside(loss, losses)

    @staticmethod
    def _with_beside(loss: Tensor, losses: StepLosses) -> Tensor:
        return loss if losses.beside is None else loss + losses.beside.mean()

    def _from_last_layer(
        self,
        gradients: GradientCombination,
        iteration: int,
        batches: Callable[[], TaskBatch],
        collect: Collect,
        clock: StepClock,
    ) -> list[TaskBatch]:
        """One forward pass; the last layer's gradients decide about the one backward pass."""
        assert self._last_layer is not None
        strategy, batch = self._strategy, batches()
        if self._forward.gate is not None:
            self._forward.gate.fill_(1)
        with self._last_layer.watched():
            losses = self._forward(batch, iteration)
        step = strategy.measure(losses.weighted, batch.task)
        factors = strategy.factors(step, iteration)
        tasks = self._tasks_of([batch])
        gradients.check_count(len(tasks))
        with self._forward.precision.autocast():
            parts = self._last_layer.rows(losses.weighted, [batch.task == t for t in tasks])
        rows = self._processes.sum(torch.stack(parts), in_place=True)
        rows *= (len(tasks) * factors / step.counts.clamp(min=1))[tasks, None].float()
        weights = gradients.combine(gram_matrix(rows), tasks, iteration)
        self._combined(losses, batch, factors, weights, step).backward()
        collect(losses, batch)
        clock.mark("model")
        return [batch]

    @staticmethod
    def _length(parameters: list[nn.Parameter]) -> int:
        return sum(parameter.numel() for parameter in parameters)


def second_look(
    forward: Forward, strategy: Strategy, iteration: int, seen: list[TaskBatch]
) -> None:
    """Give the strategy the losses of the step's samples after the step."""
    with torch.no_grad():
        first = iteration * len(seen)
        losses = [
            forward(dataclasses.replace(b, key=None), first + i, alone=True).weighted
            for i, b in enumerate(seen)
        ]
    strategy.look_again(torch.cat(losses), torch.cat([batch.task for batch in seen]))
