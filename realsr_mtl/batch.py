"""What one training step sees: images, and the task each of them belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from realsr_mtl.degradations import DegradationParameters

SampleLosses = Tensor
"""Float32 ``[B]``: one loss per sample."""

TaskIds = Tensor
"""Int64 ``[B]``: position of each sample's task in the task set."""


@dataclass(frozen=True)
class TaskBatch:
    """A batch in which every sample knows its task.

    Attributes:
        lq: ``[B, 3, h, w]`` float32 RGB in [0, 1].
        gt: ``[B, 3, H, W]`` float32 RGB in [0, 1], the training target; that of a task with a
            smaller output lies in the top left corner.
        task: int64 ``[B]``.
        index: int64 ``[B]`` global sample numbers.
        parameters: the degradation record of each sample; None for paired data.
        plain: ``gt`` without the sharpening of training, for losses with ``gt_usm: false``; else
            None.
        key: ``[B, 3, h, w]``, another crop of the same degraded images, for networks that compare
            the two; else None.
        images: ``[B]``, names in the data set of the images behind the samples; empty where nobody
            knows.
    """

    lq: Tensor
    gt: Tensor
    task: TaskIds
    index: Tensor
    parameters: DegradationParameters | None
    key: Tensor | None = None
    plain: Tensor | None = None
    images: Sequence[str] = ()

    def part(self, chosen: Tensor) -> TaskBatch:
        """The samples at int64 positions ``chosen``, without their records."""
        return TaskBatch(
            self.lq[chosen],
            self.gt[chosen],
            self.task[chosen],
            self.index[chosen.cpu()],
            None,
            None if self.key is None else self.key[chosen],
            None if self.plain is None else self.plain[chosen],
            [self.images[i] for i in chosen.tolist()] if self.images else (),
        )
