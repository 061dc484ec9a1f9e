"""From patches on the CPU to a `TaskBatch` on the training device."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.batch import TaskBatch
from realsr_mtl.data import StreamBatch
from realsr_mtl.degradations import RandomStreams, degrade
from realsr_mtl.degradations.operators import usm_sharpen
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
    def make(self, batch: StreamBatch) -> TaskBatch:
        """Degrade HR canvases and cut the patch out of each, or pass pairs through."""
        gt = self._to_float(batch.gt)
        if self._sharpen:
            gt = usm_sharpen(gt)
        if batch.lq is not None:
            task = torch.zeros(len(gt), dtype=torch.int64, device=self._device)
            return TaskBatch(self._to_float(batch.lq), gt, task, batch.index, None)
        task, parameters = self._tasks.sample(
            batch.index, self._streams, self._sampling.choose(batch.index)
        )
        lq = degrade(gt, parameters)
        if gt.shape[-1] > self._gt_size:
            lq, gt = self._cut(lq, gt, batch.index)
        return TaskBatch(lq, gt, task.to(self._device), batch.index, parameters)

    def _cut(self, lq: Tensor, gt: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        """A patch of each canvas, at a place of its own."""
        scale, side = self._scale, self._gt_size // self._scale
        room = lq.shape[-1] - side + 1
        corners = (self._streams.uniform("patch", index, 2) * room).long().tolist()
        small = [
            image[:, y : y + side, x : x + side] for image, (y, x) in zip(lq, corners, strict=True)
        ]
        large = [
            image[:, y * scale : (y + side) * scale, x * scale : (x + side) * scale]
            for image, (y, x) in zip(gt, corners, strict=True)
        ]
        return torch.stack(small), torch.stack(large)

    def _to_float(self, images: Tensor) -> Tensor:
        on_device = images.to(self._device, non_blocking=True)
        return on_device.float() / 255 if images.dtype == torch.uint8 else on_device
