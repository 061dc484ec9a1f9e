"""From patches on the CPU to a `TaskBatch` on the training device."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.batch import TaskBatch, TaskIds
from realsr_mtl.data import StreamBatch
from realsr_mtl.degradations import (
    DegradationParameters,
    RandomStreams,
    degrade_patches,
    stable_index,
)
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.operators.quantise import to_float
from realsr_mtl.strategies import TaskSampling
from realsr_mtl.tasks import Targets, TaskSet


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
        targets: what the outputs for the tasks are compared with; default: HR images.
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
        targets: Targets | None = None,
    ) -> None:
        self._tasks = tasks
        self._sampling = sampling
        self._streams = streams
        self._scale = scale
        self._gt_size = gt_size
        self._sharpen = sharpen
        self._device = device
        self._targets = targets or Targets(scale)
        self._key_streams = RandomStreams(stable_index("key", str(streams.seed)) % 2**32)
        self._own_targets = [i for i, t in enumerate(tasks.names) if not self._targets.is_hr(t)]

    @torch.no_grad()
    def make(self, batch: StreamBatch, task: TaskIds | None = None) -> TaskBatch:
        """Cut a patch out of every HR canvas and degrade it, or pass pairs through.

        Args:
            batch: HR canvases or pairs.
            task: int64 ``[B]``, tasks to use instead of those that the sampling chooses.
        """
        gt = batch.gt.to(self._device, non_blocking=True)
        key = None if batch.key is None else batch.key.to(self._device, non_blocking=True)
        if batch.lq is not None:
            lq = to_float(batch.lq.to(self._device, non_blocking=True)).contiguous()
            gt = to_float(gt).contiguous()
            gt = usm_sharpen(gt) if self._sharpen else gt
            assert batch.task is not None
            task = batch.task.to(self._device)
            gt = self._with_targets(gt, gt, task, torch.zeros(len(gt), 2, dtype=torch.int64))
            key = None if key is None else to_float(key).contiguous()
            return TaskBatch(lq, gt, task, batch.index, None, key)
        if task is None:
            task = self._sampling.choose(batch.index)
        task, parameters = self._tasks.sample(batch.index, self._streams, task)
        canvas, corners = gt, self._corners(gt, batch.index, self._streams)
        lq, gt = self._patches(canvas, parameters, corners)
        if key is not None:
            assert self._tasks.sampler is not None
            # elsewhere in the image, where its noise and its streaks are others
            other = self._tasks.sampler.with_noise(parameters, batch.index, self._key_streams)
            corners_of_key = self._corners(key, batch.index, self._key_streams)
            key = self._patches(key, other, corners_of_key)[0]
        task = task.to(self._device)
        gt = self._with_targets(gt, canvas, task, corners)
        return TaskBatch(lq, gt, task, batch.index, parameters, key)

    def _corners(self, canvas: Tensor, index: Tensor, streams: RandomStreams) -> Tensor:
        """Top and left LQ pixel of the patches, int64 ``[B, 2]``."""
        room = canvas.shape[-1] // self._scale - self._side + 1
        return (streams.uniform("patch", index, 2) * room).long()

    def _patches(
        self, canvas: Tensor, parameters: DegradationParameters, corners: Tensor
    ) -> tuple[Tensor, Tensor]:
        return degrade_patches(canvas, parameters, corners, self._side, sharpen=self._sharpen)

    def _with_targets(self, gt: Tensor, canvas: Tensor, task: TaskIds, corners: Tensor) -> Tensor:
        """HR patches with the targets of their tasks; smaller ones in the top left corner."""
        for place in self._own_targets:
            chosen = (task == place).nonzero()[:, 0]
            if not len(chosen):
                continue
            name = self._tasks.names[place]
            whole = to_float(canvas[chosen]).contiguous()
            if self._sharpen and canvas is not gt:
                whole = usm_sharpen(whole)
            scale = self._targets.scale_of(name)
            side = self._side * scale
            gt = gt.clone()
            for sample, target in zip(chosen, self._targets.make(whole, name), strict=True):
                top, left = (corners[int(sample)] * scale).tolist()
                gt[sample, :, :side, :side] = target[:, top : top + side, left : left + side]
        return gt

    @property
    def _side(self) -> int:
        """Of a patch, in LQ pixels."""
        return self._gt_size // self._scale
