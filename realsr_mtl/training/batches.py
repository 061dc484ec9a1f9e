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
        keep_plain: keep the targets without sharpening, too.
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
        keep_plain: bool = False,
    ) -> None:
        self._tasks = tasks
        self._sampling = sampling
        self._streams = streams
        self._scale = scale
        self._gt_size = gt_size
        self._sharpen = sharpen
        self._device = device
        self._keep_plain = sharpen and keep_plain
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
        canvas = batch.gt.to(self._device, non_blocking=True)
        key = None if batch.key is None else batch.key.to(self._device, non_blocking=True)
        if batch.lq is not None:
            return self._given(batch, canvas, key)
        if task is None:
            task = self._sampling.choose(batch.index)
        task, parameters = self._tasks.sample(batch.index, self._streams, task)
        corners = self._corners(canvas, batch.index, self._streams)
        lq, gt = self._patches(canvas, parameters, corners)
        if key is not None:
            assert self._tasks.sampler is not None
            # elsewhere in the image, where its noise and its streaks are others
            other = self._tasks.sampler.with_noise(parameters, batch.index, self._key_streams)
            corners_of_key = self._corners(key, batch.index, self._key_streams)
            key = self._patches(key, other, corners_of_key)[0]
        task = task.to(self._device)
        plain = None
        if self._keep_plain:
            plain = _cut(to_float(canvas), corners * self._scale, self._gt_size)
            plain = self._with_targets(plain, canvas, task, corners, sharpen=False)
        gt = self._with_targets(gt, canvas, task, corners, sharpen=self._sharpen)
        return TaskBatch(lq, gt, task, batch.index, parameters, key, plain, batch.images)

    @torch.no_grad()
    def lq_again(self, batch: StreamBatch, parameters: DegradationParameters | None) -> Tensor:
        """The LQ patches ``[B, 3, h, w]`` of known records, or those of pairs."""
        if parameters is None:
            assert batch.lq is not None
            return to_float(batch.lq.to(self._device)).contiguous()
        corners = self._corners(batch.gt, batch.index, self._streams)
        return self._patches(batch.gt.to(self._device), parameters, corners)[0]

    def _given(self, batch: StreamBatch, gt: Tensor, key: Tensor | None) -> TaskBatch:
        """Pairs as they are."""
        assert batch.lq is not None and batch.task is not None
        lq = to_float(batch.lq.to(self._device, non_blocking=True)).contiguous()
        task, whole = batch.task.to(self._device), torch.zeros(len(gt), 2, dtype=torch.int64)
        gt = to_float(gt).contiguous()
        plain = self._with_targets(gt, gt, task, whole, False) if self._keep_plain else None
        gt = usm_sharpen(gt) if self._sharpen else gt
        gt = self._with_targets(gt, gt, task, whole, sharpen=False)
        key = None if key is None else to_float(key).contiguous()
        return TaskBatch(lq, gt, task, batch.index, None, key, plain, batch.images)

    def _corners(self, canvas: Tensor, index: Tensor, streams: RandomStreams) -> Tensor:
        """Top and left LQ pixel of the patches, int64 ``[B, 2]``."""
        room = canvas.shape[-1] // self._scale - self._side + 1
        return (streams.uniform("patch", index, 2) * room).long()

    def _patches(
        self, canvas: Tensor, parameters: DegradationParameters, corners: Tensor
    ) -> tuple[Tensor, Tensor]:
        return degrade_patches(canvas, parameters, corners, self._side, sharpen=self._sharpen)

    def _with_targets(
        self, gt: Tensor, canvas: Tensor, task: TaskIds, corners: Tensor, sharpen: bool
    ) -> Tensor:
        """HR patches with the targets of their tasks; smaller ones in the top left corner."""
        for place in self._own_targets:
            chosen = (task == place).nonzero()[:, 0]
            if not len(chosen):
                continue
            name = self._tasks.names[place]
            whole = to_float(canvas[chosen]).contiguous()
            made = self._targets.make(usm_sharpen(whole) if sharpen else whole, name)
            scale = self._targets.scale_of(name)
            side = self._side * scale
            gt = gt.clone()
            gt[chosen, :, :side, :side] = _cut(made, corners[chosen.cpu()] * scale, side)
        return gt

    @property
    def _side(self) -> int:
        """Of a patch, in LQ pixels."""
        return self._gt_size // self._scale


def _cut(images: Tensor, corners: Tensor, side: int) -> Tensor:
    """``[B, 3, side, side]`` at ``corners [B, 2]``."""
    places = zip(images, corners.tolist(), strict=True)
    return torch.stack([i[:, top : top + side, left : left + side] for i, (top, left) in places])
