"""From patches on the CPU to a `TaskBatch` on the training device."""

from __future__ import annotations

import torch

from realsr_mtl.batch import TaskBatch, TaskIds
from realsr_mtl.data import StreamBatch
from realsr_mtl.degradations import RandomStreams, degrade_patches
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.operators.quantise import to_float
from realsr_mtl.strategies import TaskSampling
from realsr_mtl.tasks import TaskSet


class TaskBatchMaker:
    """Chooses tasks, draws records and degrades.

    Args:
        tasks: the task set.
        sampling: decides the task of every sample.
        streams: the run's random streams.
        scale: HR over LQ side.
        gt_size: side of the HR patch.
        sharpen: sharpen the HR image before degrading it, also as target (Real-ESRNet's gt_usm).
        device: the training device.
    """

    def __init__(
        self,
        tasks: TaskSet,
        sampling: TaskSampling,
        streams: RandomStreams,
        *,
        scale: int,
        gt_size: int,
        sharpen: bool,
        device: torch.device,
    ) -> None:
        self._tasks = tasks
        self._sampling = sampling
        self._streams = streams
        self._scale = scale
        self._gt_size = gt_size
        self._sharpen = sharpen
        self._device = device

    @torch.no_grad()
    def make(self, batch: StreamBatch, task: TaskIds | None = None) -> TaskBatch:
        """Cut a patch out of every HR canvas and degrade it, or pass pairs through.

        Args:
            batch: HR canvases or pairs.
            task: int64 ``[B]``, tasks to use instead of those that the sampling chooses.
        """
        gt = batch.gt.to(self._device, non_blocking=True)
        if batch.lq is not None:
            lq = to_float(batch.lq.to(self._device, non_blocking=True)).contiguous()
            gt = to_float(gt).contiguous()
            gt = usm_sharpen(gt) if self._sharpen else gt
            assert batch.task is not None
            return TaskBatch(lq, gt, batch.task.to(self._device), batch.index, None)
        if task is None:
            task = self._sampling.choose(batch.index)
        task, parameters = self._tasks.sample(batch.index, self._streams, task)
        side = self._gt_size // self._scale
        room = gt.shape[-1] // self._scale - side + 1
        corners = (self._streams.uniform("patch", batch.index, 2) * room).long()
        lq, gt = degrade_patches(gt, parameters, corners, side, sharpen=self._sharpen)
        return TaskBatch(lq, gt, task.to(self._device), batch.index, parameters)
