"""Probe images: frozen patches of every task on which a strategy measures the network."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

from realsr_mtl.data import ImageDataset, ImageError, to_tensor
from realsr_mtl.data.loader import check_failures
from realsr_mtl.degradations import RandomStreams, degrade, stable_index
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.inference import exact_arithmetic, restore
from realsr_mtl.metrics import PSNR
from realsr_mtl.metrics.base import to_uint8
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import TaskSet

_BATCH = 8
"""Patches restored together; one size everywhere, so that a score has the same bits everywhere."""

CROP_BORDER = 4
"""Pixels left out on each side of a patch, as in the field's tables."""


class ProbeSet:
    """The same HR patches for every task, each degraded once by a record of the task.

    Content explains most of the variance of PSNR between images, so tasks are compared on the same
    patches. Patch, record and noise depend on the seed and on names only. The target is that of
    training (sharpened if training sharpens).

    Args:
        images: HR images that are not used for training.
        tasks: the task set.
        scale: HR over LQ side.
        count: patches per task.
        size: side of the HR patch; smaller images are used whole.
        seed: of patches and records.
        sharpen: sharpen the HR patch before degrading it, as training does.
        max_failed: share of unusable images above which an error is raised.
        processes: tasks are shared out over them.
    """

    def __init__(
        self,
        images: ImageDataset,
        tasks: TaskSet,
        scale: int,
        *,
        count: int,
        size: int,
        seed: int,
        sharpen: bool,
        max_failed: float,
        processes: Processes,
    ) -> None:
        self._tasks, self._scale, self._processes = tasks, scale, processes
        self._streams = RandomStreams(seed)
        self._names: list[str] = []
        self._targets: list[Tensor] = []
        failed: dict[str, str] = {}
        order = self._streams.permutation("probe images", 0, len(images)).tolist()
        for number in range(count):
            name = images.names[order[number % len(order)]]
            try:
                patch = self._patch(images, order[number % len(order)], number, size)
            except ImageError as error:
                failed[name] = str(error)
                continue
            self._names.append(f"{name}\x1f{number}")
            self._targets.append(usm_sharpen(patch[None])[0] if sharpen else patch)
        check_failures(failed, len(images), max_failed)
        if not self._targets:
            raise UserError("no probe image can be used")
        self._inputs: dict[int, list[Tensor]] = {}

    def psnr(self, network: nn.Module) -> Tensor:
        """Mean PSNR-Y in dB of the 8-bit outputs on the probes of each task, float64 ``[T]``.

        The network runs in eval mode and float32 without changing any random state; it is left in
        the mode it came in. On a CPU every batch is restored by one thread, so that scores do not
        depend on the number of cores or processes.
        """
        rank, world = self._processes.rank, self._processes.world_size
        mine = range(rank, len(self._tasks), world)
        training = network.training
        network.eval()
        try:
            with exact_arithmetic():
                scores = dict(zip(mine, self._scores(network, mine), strict=True))
        finally:
            network.train(training)
        merged = {t: s for part in self._processes.gather(scores) for t, s in part.items()}
        return torch.tensor([merged[t] for t in range(len(self._tasks))], dtype=torch.float64)

    def _scores(self, network: nn.Module, tasks: range) -> list[float]:
        device, threads = self._processes.device, torch.get_num_threads()
        if device.type != "cpu":
            return [self._score(network, task) for task in tasks]
        torch.set_num_threads(1)
        try:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(lambda task: self._score(network, task), tasks))
        finally:
            torch.set_num_threads(threads)

    def _score(self, network: nn.Module, task: int) -> float:
        metric = PSNR(crop_border=CROP_BORDER, test_y_channel=True)
        values = []
        inputs = self.inputs(task)
        for start in range(0, len(inputs), _BATCH):
            for group in _by_size(list(range(start, min(start + _BATCH, len(inputs)))), inputs):
                lq = torch.stack([inputs[i] for i in group])
                output = restore(network, lq.float() / 255, self._scale, self._processes.device)
                values += [
                    metric(to_uint8(image), to_uint8(self._targets[i]))
                    for i, image in zip(group, output, strict=True)
                ]
        return math.fsum(values) / len(values)

    def inputs(self, task: int) -> list[Tensor]:
        """LQ patches of a task, uint8 ``[3, h, w]``, made when they are first needed."""
        if task not in self._inputs:
            name = self._tasks.names[task]
            index = torch.tensor([stable_index("probe", name, patch) for patch in self._names])
            _, records = self._tasks.sample(
                index, self._streams, torch.full((len(index),), task, dtype=torch.int64)
            )
            self._inputs[task] = [
                (degrade(target[None], records.select([i]))[0] * 255).round().byte()
                for i, target in enumerate(self._targets)
            ]
        return self._inputs[task]

    def _patch(self, images: ImageDataset, position: int, number: int, size: int) -> Tensor:
        sample = images.load(position)
        assert sample.gt is not None
        gt = to_tensor(sample.gt)
        sides = [min(size, side) // self._scale * self._scale for side in gt.shape[-2:]]
        if min(sides) <= 2 * CROP_BORDER:
            raise ImageError(f"image '{sample.name}' is too small for a probe")
        index = torch.tensor([stable_index("probe", sample.name, str(number))])
        u = self._streams.uniform("probe patch", index, 2)[0].tolist()
        top, left = (int(x * (s - w + 1)) for x, s, w in zip(u, gt.shape[-2:], sides, strict=True))
        return gt[:, top : top + sides[0], left : left + sides[1]].contiguous()


def _by_size(group: list[int], inputs: list[Tensor]) -> list[list[int]]:
    """Positions of equal sizes together; small images make patches of other sizes."""
    found: dict[torch.Size, list[int]] = {}
    for i in group:
        found.setdefault(inputs[i].shape, []).append(i)
    return list(found.values())
