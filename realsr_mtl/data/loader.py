"""The training stream: which image, crop and flip every global sample number stands for.

Loader processes decode and cut; degradation happens later on the training device. The stream is a
pure function of the seed and the sample number, so it does not depend on the number of loader
processes or ranks, or on resuming.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data.dataset import ImageDataset, ImageSample
from realsr_mtl.data.noisy import noisy
from realsr_mtl.data.reading import ImageError, Pixels, to_tensor
from realsr_mtl.data.workers import Start, loaded, prepare
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError

_logger = logging.getLogger(__name__)
_ATTEMPTS = 100


@dataclass(frozen=True)
class StreamBatch:
    """Patches on the CPU.

    Attributes:
        gt: ``[B, 3, H, W]`` uint8 (8-bit files) or float32 in [0, 1].
        lq: the same for paired data, else None.
        index: int64 ``[B]`` global sample numbers.
        failed: file to reason, of images that were skipped.
        task: int64 ``[B]``, of paired data: position in the data set's tasks.
        key: other crops of the same images: LQ patches of paired data, else HR; None unless wanted.
        images: ``[B]``, names in the data set of the images that the patches were cut out of.
    """

    gt: Tensor
    lq: Tensor | None
    index: Tensor
    failed: dict[str, str]
    task: Tensor | None = None
    key: Tensor | None = None
    images: Sequence[str] = ()

    def pin_memory(self) -> StreamBatch:
        """Page-locked copies."""
        lq, key = (None if x is None else x.pin_memory() for x in (self.lq, self.key))
        return replace(self, gt=self.gt.pin_memory(), lq=lq, key=key)

    def share_memory(self) -> StreamBatch:
        """The same, moved to where the main process sees it."""
        for tensor in (self.gt, self.lq, self.index, self.task, self.key):
            if tensor is not None:
                tensor.share_memory_()
        return self


@dataclass(frozen=True)
class Patch:
    """How patches are cut.

    Attributes:
        size: HR side.
        smallest: HR side below which an image is refused; up to ``size`` it is padded by
            reflection.
        scale: HR over LQ side.
        hflip, rot: random horizontal flips; random vertical flips and transpositions.
        with_key: cut a second patch of the same image, for networks that compare two.
    """

    size: int
    smallest: int
    scale: int
    hflip: bool
    rot: bool
    with_key: bool = False


@dataclass(frozen=True)
class Item:
    """One sample: patches, number, unusable files, task, second patch, name of its image."""

    gt: Tensor | None
    lq: Tensor | None
    index: int
    failed: dict[str, str]
    task: int = 0
    key: Tensor | None = None
    image: str = ""


class _Stream(Dataset[Item | UserError]):
    def __init__(self, images: ImageDataset, patch: Patch, streams: RandomStreams) -> None:
        self.images = images
        self.patch = patch
        self.streams = streams
        self._epoch = -1
        self._order = torch.empty(0)

    def __getitem__(self, index: int) -> Item | UserError:
        epoch, place = divmod(index, len(self.images))
        failed: dict[str, str] = {}
        for attempt in range(min(_ATTEMPTS, len(self.images))):
            position = int(self._shuffled(epoch)[(place + attempt) % len(self.images)])
            name = self.images.names[position]
            try:
                sample = self.images.load(position)
                gt, lq = self._cut(index, sample, "")
                key = self._key(index, sample) if self.patch.with_key else None
            except ImageError as error:
                failed[name] = str(error)
                continue
            except UserError as error:  # as a value: torch would wrap it into a traceback
                return error
            except Exception as error:
                raise RuntimeError(f"image '{name}' (sample {index}) cannot be loaded") from error
            patch, given, other = (None if x is None else _compact(x) for x in (gt, lq, key))
            return Item(patch, given, index, failed, self.images.task(position), other, name)
        return Item(None, None, index, failed)

    def _shuffled(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = self.streams.permutation("shuffle", epoch, len(self.images))
        return self._order

    def _key(self, index: int, sample: ImageSample) -> Pixels:
        """Another crop: LQ of a pair, HR of an image that is to be degraded."""
        gt, lq = self._cut(index, sample, "key ")
        return gt if lq is None else lq

    def _cut(self, index: int, sample: ImageSample, purpose: str) -> tuple[Pixels, Pixels | None]:
        patch, gt, lq = self.patch, sample.gt, sample.lq
        assert gt is not None
        if min(gt.shape[:2]) < patch.smallest:
            raise ImageError(
                f"'{sample.name}' has {gt.shape[1]} x {gt.shape[0]} pixels, fewer than the patch "
                f"of {patch.smallest}"
            )
        if lq is None and not sample.noise:
            gt = _padded(gt, patch.size)
        u = self.streams.uniform(f"{purpose}crop", torch.tensor([index]), 5)[0].tolist()
        step = 1 if lq is None else patch.scale
        rows = (gt.shape[0] - patch.size) // step + 1
        columns = (gt.shape[1] - patch.size) // step + 1
        top, left = int(u[0] * rows) * step, int(u[1] * columns) * step
        gt = gt[top : top + patch.size, left : left + patch.size]
        if lq is not None:
            s = patch.scale
            lq = lq[top // s : (top + patch.size) // s, left // s : (left + patch.size) // s]
        flips = [u[2] < 0.5 and patch.hflip, u[3] < 0.5 and patch.rot, u[4] < 0.5 and patch.rot]
        if sample.noise:
            gt = _flipped(gt, flips)
            seed = int(self.streams.seeds(f"{purpose}noise", torch.tensor([index]), 1))
            return gt, noisy(gt, sample.noise, seed)
        return _flipped(gt, flips), None if lq is None else _flipped(lq, flips)


class _Batches(Sampler[list[int]]):
    """Sample numbers of this rank's batches, endlessly from a given batch on."""

    def __init__(self, first: int, size: int, rank: int, world_size: int) -> None:
        self.first, self.size, self.rank, self.world_size = first, size, rank, world_size

    def __iter__(self) -> Iterator[list[int]]:
        batch = self.first
        while True:
            start = (batch * self.world_size + self.rank) * self.size
            yield list(range(start, start + self.size))
            batch += 1


class TrainingLoader:
    """Endless batches of patches.

    Args:
        images: the data set.
        patch: how to cut.
        streams: the run's random streams.
        batch_size: samples of this rank per batch.
        workers: loader processes.
        worker_start: how they start; default: Python's way on this platform.
        rank, world_size: this process among all.
        first: number of the first batch (all ranks together make one).
        pin_memory: page-locked batches.
        max_failed: share of unusable images above which an error is raised.
    """

    def __init__(
        self,
        images: ImageDataset,
        patch: Patch,
        streams: RandomStreams,
        *,
        batch_size: int,
        workers: int,
        worker_start: Start | None = None,
        rank: int = 0,
        world_size: int = 1,
        first: int = 0,
        pin_memory: bool = False,
        max_failed: float = 0.1,
    ) -> None:
        known = multiprocessing.get_all_start_methods()
        if worker_start is not None and worker_start not in known:
            raise UserError(
                f"processes cannot start by {worker_start} here; set datasets:train:worker_start "
                f"to {' or '.join(known)}"
            )
        images.preload()
        self._images = images
        self._stream = _Stream(images, patch, streams)
        self._max_failed = max_failed
        self._failed: dict[str, str] = {}
        self._loader = DataLoader(
            self._stream,
            batch_sampler=_Batches(first, batch_size, rank, world_size),
            num_workers=workers,
            collate_fn=_collate,
            worker_init_fn=prepare,
            multiprocessing_context=worker_start if workers else None,
            pin_memory=pin_memory,
            persistent_workers=False,
            generator=torch.Generator(),  # else the loader draws its base seed from torch's own
        )

    def __iter__(self) -> Iterator[StreamBatch]:
        for batch in map(_usable, loaded(self._loader)):
            self._note(batch.failed)
            if batch.gt.numel() == 0:
                raise UserError(f"no readable image found: {next(iter(self._failed.values()))}")
            yield batch

    def sample(self, index: int) -> StreamBatch:
        """The sample of a number, alone; read in this process."""
        return _usable(_collate([self._stream[index]]))

    def _note(self, failed: dict[str, str]) -> None:
        for name, reason in failed.items():
            if name not in self._failed:
                self._failed[name] = reason
                _logger.warning(
                    "skipped image %d of %d: %s", len(self._failed), len(self._images), reason
                )
        check_failures(self._failed, len(self._images), self._max_failed)


def check_failures(failed: dict[str, str], total: int, largest_share: float) -> None:
    """Stop when too many images of a data set cannot be used."""
    if failed and len(failed) > largest_share * total:
        raise UserError(
            f"{len(failed)} of {total} images cannot be used, more than max_failed="
            f"{largest_share:g} allows; the first: {next(iter(failed.values()))}"
        )


def _usable(batch: StreamBatch | UserError) -> StreamBatch:
    if isinstance(batch, UserError):
        raise batch
    return batch


def _collate(items: Sequence[Item | UserError]) -> StreamBatch | UserError:
    """A batch, or the sentence that ends the run."""
    usable = [item for item in items if isinstance(item, Item)]
    for item in items:
        if isinstance(item, UserError):
            return item
    batch = _together(usable)
    if get_worker_info() is None:
        return batch
    try:
        return batch.share_memory()  # here, since a failure in torch's own thread loses the batch
    except RuntimeError as error:
        return UserError(
            f"a loader process has no shared memory for its batch ({error}); enlarge /dev/shm "
            "(docker run --shm-size=8g), or lower datasets:train:num_worker_per_gpu"
        )


def _together(items: Sequence[Item]) -> StreamBatch:
    failed = {name: reason for item in items for name, reason in item.failed.items()}
    index = torch.tensor([item.index for item in items])
    if any(item.gt is None for item in items):
        return StreamBatch(torch.empty(0), None, index, failed)
    gt = _stack([item.gt for item in items])
    key = None if items[0].key is None else _stack([item.key for item in items])
    images = [item.image for item in items]
    if items[0].lq is None:
        return StreamBatch(gt, None, index, failed, key=key, images=images)
    task = torch.tensor([item.task for item in items])
    return StreamBatch(gt, _stack([item.lq for item in items]), index, failed, task, key, images)


def _stack(images: Sequence[Tensor | None]) -> Tensor:
    present = [image for image in images if image is not None]
    if len({image.dtype for image in present}) > 1:
        present = [i.float() / 255 if i.dtype == torch.uint8 else i for i in present]
    return torch.stack([image.permute(1, 2, 0) for image in present]).permute(0, 3, 1, 2)


def _compact(pixels: Pixels) -> Tensor:
    """8-bit patches stay bytes, and colours side by side, until they are degraded."""
    if pixels.dtype == np.uint8:
        return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)
    return to_tensor(pixels)


def _padded(image: Pixels, size: int) -> Pixels:
    missing = [max(0, size - side) for side in image.shape[:2]]
    if not any(missing):
        return image
    padded = cv2.copyMakeBorder(image, 0, missing[0], 0, missing[1], cv2.BORDER_REFLECT_101)
    return np.asarray(padded)


def _flipped(image: Pixels, flips: Sequence[bool]) -> Pixels:
    """Flips and a transposition, by OpenCV, which copies faster than strided arrays."""
    shape = image.shape
    horizontal, vertical, transpose = flips
    if horizontal or vertical:
        image = cv2.flip(image, 1 if not vertical else 0 if not horizontal else -1)
    if transpose:
        image = cv2.transpose(image)
        shape = (shape[1], shape[0], *shape[2:])
    return image.reshape(shape)
