"""Frozen evaluation images: every (image, task) has one LQ image, for ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from realsr_mtl.data import ImageDataset, ImageError, to_tensor
from realsr_mtl.data.noisy import noisy
from realsr_mtl.degradations import DegradationParameters, RandomStreams, degrade, stable_index
from realsr_mtl.metrics.base import Image, to_uint8
from realsr_mtl.tasks import Targets, TaskSet, check_task_names

NATURAL = "natural"
"""Task name of an LQ image drawn from the whole space."""


@dataclass(frozen=True)
class FrozenImage:
    """An image to restore.

    Attributes:
        name, task: what it is.
        lq: ``[1, 3, h, w]`` float32; without reference ``[1, C, h, w]`` as in the file: C is 1
            (grey) or 3, one more with alpha.
        gt: 8-bit reference, or None.
        parameters: the degradation record, or None for images from files.
        scale: size of the restored image over that of the input.
        depth: bits of a restored sample, 8 or 16; metrics are of 8-bit images.
    """

    name: str
    task: str
    lq: Tensor
    gt: Image | None
    parameters: DegradationParameters | None
    scale: int
    depth: int = 8

    @property
    def checksum(self) -> str:
        """Sixteen hexadecimal digits that change with any pixel of ``lq`` or ``gt``."""
        digest = hashlib.blake2b(repr(tuple(self.lq.shape)).encode(), digest_size=8)
        digest.update(self.lq.contiguous().numpy().tobytes())
        if self.gt is not None:
            digest.update(repr(self.gt.shape).encode())
            digest.update(self.gt.tobytes())
        return digest.hexdigest()


class Middle(NamedTuple):
    """The part of an image around its middle, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @staticmethod
    def of(image: Tensor, multiple: int, name: str) -> Middle:
        """The largest part of ``[C, H, W]``, the image called ``name``, whose sides are multiples.

        Raises:
            ImageError: the image is smaller than that.
        """
        height, width = image.shape[-2:]
        sides = (height // multiple * multiple, width // multiple * multiple)
        if not all(sides):
            raise ImageError(
                f"image '{name}' has {width} x {height} pixels, fewer than the {multiple} a side "
                "that it is cut to a multiple of"
            )
        return Middle((height - sides[0]) // 2, (width - sides[1]) // 2, *sides)

    def cut(self, image: Tensor, scale: int = 1) -> Tensor:
        """That part of an image that is so many times larger."""
        top, left, height, width = (scale * value for value in self)
        return image[..., top : top + height, left : left + width].contiguous()


class EvaluationSet:
    """A data set times tasks.

    The record of an HR image under a task depends on the seed and on the *names* of image and task
    only: adding images or tasks leaves the others' LQ images as they are. LQ images are made from
    the plain HR image (never the sharpened one), once, and kept in memory as 8 bits.

    Args:
        name: name in tables.
        images: the data set; HR images are degraded, pairs and LQ images are used as they are.
        scale: HR over LQ side; HR images are cut to a multiple of it.
        tasks: the task set, for HR images.
        chosen: "all" tasks, one "natural" mix, or task names.
        seed: seed of the records.
        max_images: use the first images only.
        max_failed: share of unusable images above which evaluation stops.
        crop_multiple: cut images around their middle to a multiple of this (of HR pixels) first.
        targets: what the restored image of a task is compared with; default: the HR image.
    """

    def __init__(
        self,
        name: str,
        images: ImageDataset,
        scale: int,
        tasks: TaskSet | None,
        *,
        chosen: str | list[str] = "all",
        seed: int = 0,
        max_images: int | None = None,
        max_failed: float = 0.1,
        crop_multiple: int = 1,
        targets: Targets | None = None,
    ) -> None:
        if crop_multiple > 1 and crop_multiple % scale:
            raise ValueError(f"crop_multiple {crop_multiple} is no multiple of scale {scale}")
        self.name = name
        self._multiple = crop_multiple
        self._targets = targets or Targets(scale)
        self.max_failed = max_failed
        self._images = images
        self._scale = scale
        self._task_set = tasks
        self._streams = RandomStreams(seed)
        self._count = min(len(images), max_images or len(images))
        self._cache: dict[int, tuple[Tensor, DegradationParameters]] = {}
        if images.has_lq:
            check_task_names(images.tasks)
            self.tasks = list(images.tasks)
        else:
            if tasks is None or tasks.sampler is None:
                raise ValueError(
                    f"data set '{name}' has HR images only; add a 'degradation' block, or use "
                    "PairedImages"
                )
            self.tasks = [NATURAL] if chosen == NATURAL else list(tasks.names)
            if isinstance(chosen, list):
                unknown = sorted(set(chosen) - set(tasks.names))
                if unknown:
                    raise ValueError(
                        f"data set '{name}' asks for task '{unknown[0]}'; there are: "
                        f"{', '.join(tasks.names)}"
                    )
                self.tasks = list(chosen)

    @property
    def has_reference(self) -> bool:
        """Whether there are HR images to compare with."""
        return self._images.has_gt

    @property
    def count(self) -> int:
        """Number of images."""
        return self._count

    def __len__(self) -> int:
        return self._count * (1 if self._images.has_lq else len(self.tasks))

    def describe(self, entry: int) -> tuple[str, str]:
        """Image and task name of an entry, without reading it."""
        if self._images.has_lq:  # a given pair belongs to one task
            return self._images.names[entry], self.tasks[self._images.task(entry)]
        position, task = divmod(entry, len(self.tasks))
        return self._images.names[position], self.tasks[task]

    def load(self, entry: int) -> FrozenImage:
        """Read and, for HR images, degrade an entry.

        Raises:
            ImageError: the file cannot be used.
        """
        position = entry if self._images.has_lq else entry // len(self.tasks)
        name, task = self.describe(entry)
        sample = self._images.load(position)
        given = sample.lq
        if sample.noise and sample.gt is not None:
            index = torch.tensor([stable_index(name, task)])
            given = noisy(sample.gt, sample.noise, int(self._streams.seeds("noise", index, 1)))
        if given is not None:
            lq = to_tensor(given)
            middle = Middle.of(lq, max(1, self._multiple // self._scale), name)
            if sample.gt is None:
                return self._frozen(name, task, middle.cut(lq)[None], None, None, given.itemsize)
            gt = self._target(middle.cut(to_tensor(sample.gt), self._scale), task)
            return self._frozen(name, task, middle.cut(lq)[None], gt, None)
        assert sample.gt is not None
        gt_tensor = to_tensor(sample.gt)
        gt_tensor = Middle.of(gt_tensor, self._multiple, name).cut(gt_tensor)
        height, width = (s - s % self._scale for s in gt_tensor.shape[-2:])
        if min(height, width) < self._scale:
            raise ImageError(
                f"image '{name}' has {gt_tensor.shape[-1]} x {gt_tensor.shape[-2]} pixels, fewer "
                f"than the {self._scale} a side of one LQ pixel"
            )
        gt_tensor = gt_tensor[:, :height, :width]
        levels, parameters = self._degraded(entry, name, task, gt_tensor)
        target = self._target(gt_tensor, task)
        return self._frozen(name, task, levels.float() / 255, target, parameters)

    def _target(self, hr: Tensor, task: str) -> Image:
        return to_uint8(self._targets.make(hr[None], task)[0])

    def _frozen(
        self,
        name: str,
        task: str,
        lq: Tensor,
        gt: Image | None,
        parameters: DegradationParameters | None,
        sample_bytes: int = 1,
    ) -> FrozenImage:
        scale = self._targets.scale_of(task)
        return FrozenImage(name, task, lq, gt, parameters, scale, 8 * sample_bytes)

    def _degraded(
        self, entry: int, name: str, task: str, gt: Tensor
    ) -> tuple[Tensor, DegradationParameters]:
        if entry not in self._cache:
            parameters = self.record(name, task)
            lq = degrade(gt[None], parameters)
            self._cache[entry] = ((lq * 255).round().byte(), parameters)
        return self._cache[entry]

    def record(self, name: str, task: str) -> DegradationParameters:
        """The degradation record of an image under a task."""
        assert self._task_set is not None
        index = torch.tensor([stable_index(name, task)])
        if task == NATURAL:
            return self._task_set.sample(index, self._streams)[1]
        chosen = torch.tensor([self._task_set.names.index(task)])
        return self._task_set.sample(index, self._streams, chosen)[1]
