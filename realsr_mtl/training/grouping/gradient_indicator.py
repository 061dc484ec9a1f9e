"""A cheap indicator: how much of a task's gradient is common to its batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from realsr_mtl.data import ImageDataset
from realsr_mtl.tasks import PointTasks
from realsr_mtl.training.grouping.indicator import (
    PointBatches,
    Score,
    point_forward,
)
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.task_gradients import check_samples_do_not_mix, flat_gradient


class GradientIndicator:
    """Predicts what a short training on a task would gain, from gradients alone.

    With the gradients ``g_1 ... g_m`` of m batches of task i at the starting weights,

        S_i = 1 - [ mean over pairs a != b of <g_a, g_b> ] / [ mean over a of |g_a|^2 ]

    A step along the gradient of one batch lowers the loss of another batch by their inner product,
    to first order; relative to the size of the gradients that is the share they have in common. On
    a satisfactory task the network sits at a minimum: the gradients are noise, S is 1 or above. It
    is not in the paper; how well it ranks tasks is in docs/results.md.

    Args:
        plan: the checked options.
        images: the training set.
        points: the tasks.
        network: holds the starting weights; on the device.
        batches: m, at least 2; the same HR crops for every task.
        device: the training device.
    """

    side_by_side = 1

    def __init__(
        self,
        plan: TrainingPlan,
        images: ImageDataset,
        points: PointTasks,
        network: nn.Module,
        *,
        batches: int,
        device: torch.device,
    ) -> None:
        check_samples_do_not_mix(network)
        self._forward = point_forward(plan, network, points.names, device)
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._batches = PointBatches(plan, images, points, batches, device)

    def scores(self, tasks: Sequence[int]) -> list[Score]:
        """The indicators of the tasks; the loss afterwards is not known."""
        return [self._score(task) for task in tasks]

    def _score(self, task: int) -> Score:
        count, losses = len(self._batches), []
        total: torch.Tensor | float = 0.0
        squares = torch.zeros((), dtype=torch.float64)
        for step in range(count):
            loss = self._forward(self._batches.make(step, [task]), step).total.mean()
            gradient = flat_gradient(loss, self._parameters)
            losses.append(float(loss.detach()))
            squares += gradient.double().square().sum().cpu()
            total = total + gradient
        assert isinstance(total, torch.Tensor)
        pairs = float(total.double().square().sum()) - float(squares)
        common = pairs / ((count - 1) * float(squares)) if squares > 0 else 0.0
        return Score(1 - common, sum(losses) / count, None)
