"""Probe images: frozen patches of every task on which a strategy measures the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from realsr_mtl.archs import for_task
from realsr_mtl.data import ImageDataset, ImageError, to_tensor
from realsr_mtl.data.loader import check_failures
from realsr_mtl.degradations import RandomStreams, degrade, stable_index
from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.operators.quantise import to_levels
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.inference import exact_arithmetic, image_threads, restore
from realsr_mtl.metrics import PSNR
from realsr_mtl.metrics.base import to_uint8
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import Targets, TaskSet

_BATCH = 8
"""Patches restored together; one size everywhere, so that a score has the same bits everywhere."""

CROP_BORDER = 4
"""Pixels left out on each side of a patch, as in the field's tables."""


@dataclass(frozen=True)
class Patches:
    """HR patches of images that are not used for training.

    Attributes:
        names: one for each patch; records are keyed by them.
        targets: ``[3, H, W]`` float32 in [0, 1], with sides that are multiples of the scale.
    """

    names: list[str]
    targets: list[Tensor]


def cut_patches(
    images: ImageDataset,
    scale: int,
    *,
    count: int,
    size: int,
    seed: int,
    sharpen: bool,
    max_failed: float,
) -> Patches:
    """Random patches that depend on the seed and on names only.

    Args:
        images: HR images.
        scale: HR over LQ side.
        count: number of patches; the images take turns.
        size: side of a patch; smaller images are used whole.
        seed: of order and places.
        sharpen: sharpen the patches, as training does with its targets.
        max_failed: share of unusable images above which an error is raised.

    Raises:
        UserError: too many images cannot be used.
    """
    streams = RandomStreams(seed)
    names, targets, failed = [], [], {}
    order = streams.permutation("probe images", 0, len(images)).tolist()
    for number in range(count):
        position = order[number % len(order)]
        name = images.names[position]
        try:
            patch = _patch(images, position, number, size, scale, streams)
        except ImageError as error:
            failed[name] = str(error)
            continue
        names.append(f"{name}\x1f{number}")
        targets.append(usm_sharpen(patch[None])[0] if sharpen else patch)
    check_failures(failed, len(images), max_failed)
    if not targets:
        raise UserError("no probe image can be used")
    return Patches(names, targets)


class ProbeSet:
    """The same HR patches for every task, each degraded once by a record of the task.

    Content explains most of the variance of PSNR between images, so tasks are compared on the same
    patches. Record and noise depend on the seed and on names only. The target is that of training
    (sharpened if training sharpens).

    Args:
        patches: HR patches.
        tasks: the task set.
        targets: what the outputs for the tasks are compared with.
        seed: of the records.
        processes: tasks are shared out over them.
    """

    def __init__(
        self, patches: Patches, tasks: TaskSet, targets: Targets, seed: int, processes: Processes
    ) -> None:
        self.patches = patches
        self._tasks, self._targets, self._processes = tasks, targets, processes
        self._streams = RandomStreams(seed)
        self._inputs: dict[int, list[Tensor]] = {}

    def psnr(self, network: nn.Module, tasks: Sequence[int] | None = None) -> Tensor:
        """Mean PSNR-Y in dB of the 8-bit outputs on the probes of each task.

        Args:
            network: to be scored.
            tasks: positions of the tasks to score; default: all.

        Returns:
            Float64, one value for each task.
        """
        chosen = range(len(self._tasks)) if tasks is None else tasks

        def score(own: nn.Module, place: int) -> float:
            return self._score(own, chosen[place])

        scores = score_all(network, score, len(chosen), self._processes)
        return torch.tensor(scores, dtype=torch.float64)

    def _score(self, network: nn.Module, task: int) -> float:
        values: list[float] = []
        inputs, name = self.inputs(task), self._tasks.names[task]
        network, scale = for_task(network, name), self._targets.scale_of(name)
        for start in range(0, len(inputs), _BATCH):
            for group in _by_size(list(range(start, min(start + _BATCH, len(inputs)))), inputs):
                lq = torch.stack([inputs[i] for i in group])
                targets = [
                    self._targets.make(self.patches.targets[i][None], name)[0] for i in group
                ]
                values += restored_psnr(network, lq, targets, scale, self._processes.device)
        return math.fsum(values) / len(values)

    def inputs(self, task: int) -> list[Tensor]:
        """LQ patches of a task, uint8 ``[3, h, w]``, made when they are first needed."""
        if task not in self._inputs:
            name, patches = self._tasks.names[task], self.patches
            index = torch.tensor([stable_index("probe", name, patch) for patch in patches.names])
            _, records = self._tasks.sample(
                index, self._streams, torch.full((len(index),), task, dtype=torch.int64)
            )
            self._inputs[task] = [
                to_levels(degrade(target[None], records.select([i])))[0].byte()
                for i, target in enumerate(patches.targets)
            ]
        return self._inputs[task]


def restored_psnr(
    network: nn.Module, lq: Tensor, targets: list[Tensor], scale: int, device: torch.device
) -> list[float]:
    """PSNR-Y in dB of the 8-bit outputs for uint8 inputs ``[B, 3, h, w]``."""
    metric = PSNR(crop_border=CROP_BORDER, test_y_channel=True)
    output = restore(network, lq.float() / 255, scale, device)
    pairs = zip(output, targets, strict=True)
    return [metric(to_uint8(image), to_uint8(target)) for image, target in pairs]


def score_all(
    network: nn.Module,
    score: Callable[[nn.Module, int], float],
    count: int,
    processes: Processes,
) -> list[float]:
    """``score(network, i)`` for all i below ``count``, shared out over the processes.

    The network runs in eval mode and float32 without changing any random state; it is left in the
    mode it came in. On a CPU every score is one thread's, so that scores do not depend on the
    number of cores or processes.
    """
    mine = range(processes.rank, count, processes.world_size)
    training = network.training
    network.eval()
    try:
        with exact_arithmetic(), image_threads(processes.device) as score_each:
            values = list(score_each(lambda i: score(network, i), mine))
    finally:
        network.train(training)
    parts = processes.gather(dict(zip(mine, values, strict=True)))
    merged = {i: value for part in parts for i, value in part.items()}
    return [merged[i] for i in range(count)]


def _patch(
    images: ImageDataset, position: int, number: int, size: int, scale: int, streams: RandomStreams
) -> Tensor:
    sample = images.load(position)
    assert sample.gt is not None
    gt = to_tensor(sample.gt)
    sides = [min(size, side) // scale * scale for side in gt.shape[-2:]]
    if min(sides) <= 2 * CROP_BORDER:
        raise ImageError(f"image '{sample.name}' is too small for a probe")
    index = torch.tensor([stable_index("probe", sample.name, str(number))])
    u = streams.uniform("probe patch", index, 2)[0].tolist()
    top, left = (int(x * (s - w + 1)) for x, s, w in zip(u, gt.shape[-2:], sides, strict=True))
    return gt[:, top : top + sides[0], left : left + sides[1]].contiguous()


def _by_size(group: list[int], inputs: list[Tensor]) -> list[list[int]]:
    """Positions of equal sizes together; small images make patches of other sizes."""
    found: dict[torch.Size, list[int]] = {}
    for i in group:
        found.setdefault(inputs[i].shape, []).append(i)
    return list(found.values())
