"""TGSR's performance indicator: what a short training on one task alone makes of its loss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.archs import count_parameters
from realsr_mtl.batch import TaskBatch
from realsr_mtl.data import ImageDataset, StreamBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import SAMPLINGS
from realsr_mtl.tasks import PointTasks
from realsr_mtl.training.forward import Forward
from realsr_mtl.training.grouping.side_by_side import SideBySide
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.precision import Precision
from realsr_mtl.training.task_gradients import check_samples_do_not_mix

_STACKED, _STACKED_WEIGHTS = 8, 2_000_000
"""Tasks side by side on a GPU unless the options say otherwise, for networks up to this size."""


@dataclass(frozen=True)
class Score:
    """The indicator of a task.

    Attributes:
        indicator: loss after over loss before; low means unsatisfactory.
        before: mean loss of the starting weights.
        after: mean loss after the short training; None where there was none.
    """

    indicator: float
    before: float
    after: float | None


class PointBatches:
    """The same HR crops, step by step, for every point; noise of a sample is the same, too.

    The crops are read once and kept in memory (as bytes): steps x batch x canvas^2 x 3.

    Args:
        plan: the checked options.
        images: the training set.
        points: the tasks.
        steps: number of batches.
        device: where they are degraded.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        images: ImageDataset,
        points: PointTasks,
        steps: int,
        device: torch.device,
    ) -> None:
        alone = Processes(device=device)
        setting = plan.setting(points, alone)
        loader = plan.loader(images, setting.streams, alone, 0)
        self._batches: list[StreamBatch] = list(islice(iter(loader), steps))
        sampling = SAMPLINGS.build({"type": "Natural"}, setting)
        self._maker = plan.batch_maker(points, sampling, None, alone)

    def __len__(self) -> int:
        return len(self._batches)

    def make(self, step: int, tasks: Sequence[int]) -> TaskBatch:
        """The batch of a step under each of the tasks, one after the other."""
        batch, count = self._batches[step], len(tasks)
        index = batch.index.repeat(count)
        gt, names = batch.gt.repeat(count, 1, 1, 1), [*batch.images] * count
        repeated = StreamBatch(gt, None, index, {}, images=names)
        task = torch.tensor(tasks).repeat_interleave(len(batch.index))
        return self._maker.make(repeated, task)


class FineTuneIndicator:
    """Trains the network on each task alone, for a few steps.

    With the weights ``theta`` that training starts from and ``theta_t`` after t steps on task i,

        S_i = mean over the last ``window`` t of  L_i(theta_t) / L_i(theta)

    where both losses are of the batch that follows step t: the same LQ and HR patches, not yet
    trained on. Every task starts from theta with a fresh optimiser and a constant learning rate;
    the raw weights are judged, not their average. A task near 1 (or above) is satisfactory.

    Args:
        plan: the checked options with the learning rate of the short trainings.
        images: the training set.
        points: the tasks.
        network: holds the starting weights; on the device.
        steps: of each short training.
        window: see above.
        side_by_side: tasks at a time on the device, or "auto".
        device: the training device.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        images: ImageDataset,
        points: PointTasks,
        network: nn.Module,
        *,
        steps: int,
        window: int,
        side_by_side: int | str,
        device: torch.device,
    ) -> None:
        check_samples_do_not_mix(network)
        self._plan, self._network = plan, network
        self._steps, self._window, self._device = steps, window, device
        if side_by_side == "auto":
            small = count_parameters(network) <= _STACKED_WEIGHTS
            side_by_side = _STACKED if device.type == "cuda" and small else 1
        self.side_by_side = int(side_by_side)
        if self.side_by_side > 1 and plan.train.precision != "float32" and device.type == "cpu":
            raise UserError(
                "on a CPU, stacked weights run in float32 only; set "
                "strategy:grouping:side_by_side to 1, or train:precision to float32"
            )
        self._tasks = points.names
        self._start = point_forward(plan, network, self._tasks, device)
        self._batches = PointBatches(plan, images, points, steps + 1, device)

    def scores(self, tasks: Sequence[int]) -> list[Score]:
        """The indicators of up to ``side_by_side`` tasks.

        Raises:
            UserError: they need more memory than the device has.
        """
        try:
            return self._scores(tasks)
        except torch.OutOfMemoryError:
            raise UserError(
                f"{len(tasks)} short trainings side by side need more memory than the device has; "
                "lower strategy:grouping:side_by_side or indicator_batch"
            ) from None

    def _scores(self, tasks: Sequence[int]) -> list[Score]:
        copies = SideBySide(self._network, len(tasks))
        forward = point_forward(self._plan, self._network, self._tasks, self._device, copies)
        optimizer = self._plan.optimizer(copies.parameters)
        copies.check_optimizer(optimizer)
        before, after = [], []
        for step in range(self._steps + 1):
            batch = self._batches.make(step, tasks)
            with torch.set_grad_enabled(step < self._steps):
                losses = self._means(forward(batch, step).total, len(tasks))
            if step < self._steps:
                optimizer.zero_grad(set_to_none=True)
                losses.sum().backward()
                optimizer.step()
            if step > self._steps - self._window:
                with torch.no_grad():
                    start = self._start(batch, step).total
                    before.append(self._means(start, len(tasks)))
                after.append(losses.detach())
        first, last = torch.stack(before).double(), torch.stack(after).double()
        ratios = (last / first).mean(0)
        rows = torch.stack((ratios, first.mean(0), last.mean(0)), 1).tolist()
        return [Score(*row) for row in rows]

    @staticmethod
    def _means(losses: Tensor, tasks: int) -> Tensor:
        return losses.unflatten(0, (tasks, -1)).mean(1)


def point_forward(
    plan: TrainingPlan,
    network: nn.Module,
    tasks: Sequence[str],
    device: torch.device,
    runner: Any = None,
) -> Forward:
    """A network, or copies of it, in the precision and randomness of the run, by one process."""
    with plan.loaded.located():
        precision = Precision(plan.train, device)
    network.train().to(memory_format=precision.memory_format)  # type: ignore[call-overload]
    streams = RandomStreams(plan.options.manual_seed)
    alone = Processes(device=device)
    terms = plan.loss_terms(tasks, network)
    terms.to(device)
    return Forward(network, runner or network, terms, tasks, precision, streams, alone)


def check_scores(scores: Mapping[str, Score]) -> None:
    """Refuse scores of tasks that are not finite.

    Raises:
        UserError: the sentence names the first such task.
    """
    for name, score in scores.items():
        if not math.isfinite(score.indicator):
            raise UserError(
                f"the indicator of task '{name}' is not finite; lower "
                "strategy:grouping:indicator_lr, or check path:pretrain_network_g"
            )


def chunks(tasks: Sequence[int], size: int) -> Iterator[list[int]]:
    """Consecutive parts of at most ``size`` tasks."""
    for start in range(0, len(tasks), size):
        yield list(tasks[start : start + size])
