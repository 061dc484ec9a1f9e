"""Scoring a network on evaluation sets; images are shared out over the processes."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from tqdm import tqdm

from realsr_mtl.archs import for_task
from realsr_mtl.data import ImageError
from realsr_mtl.data.loader import check_failures
from realsr_mtl.data.reading import Pixels
from realsr_mtl.degradations.operators import imresize
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.frozen import EvaluationSet, FrozenImage
from realsr_mtl.evaluation.images import as_rgb, to_pixels
from realsr_mtl.evaluation.inference import Inference, exact_arithmetic, image_threads, restore
from realsr_mtl.evaluation.tiling import Tile
from realsr_mtl.metrics import Metric
from realsr_mtl.metrics.base import to_levels, to_uint8
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import ImageRow, Row

_logger = logging.getLogger(__name__)

Restorer = Callable[[FrozenImage], Tensor]
"""An image to restore to ``[1, C, H, W]`` on the CPU."""

Save = Callable[[str, FrozenImage, Pixels], None]
"""Called with data set name, input and output of this process's images."""


@dataclass(frozen=True)
class ImageScore:
    """Metrics of one restored image."""

    dataset: str
    entry: int
    image: str
    task: str
    values: dict[str, float] = field(default_factory=dict)
    failed: str = ""
    checksum: str = ""


class Evaluator:
    """Scores restorers on evaluation sets.

    Every process takes every n-th entry; the scores of single images are gathered and averaged in
    one order, so the table does not depend on the number of processes. The network runs in
    float32, whatever the training precision, unless a call says otherwise.

    Args:
        sets: the evaluation sets.
        metrics: metric by name.
        processes: this process among all.
        tile: tiled inference.
        progress: show a bar on a terminal.
    """

    def __init__(
        self,
        sets: Sequence[EvaluationSet],
        metrics: Mapping[str, Metric],
        processes: Processes,
        tile: Tile | None = None,
        progress: bool = True,
    ) -> None:
        self.sets = list(sets)
        self.metrics = dict(metrics)
        self._processes = processes
        self._tile = tile
        self._progress = progress
        self._warned: set[str] = set()

    def score_network(
        self, network: nn.Module, save: Save | None = None, how: Inference | None = None
    ) -> list[ImageScore]:
        """Scores of every image under a network, on every process in the same order.

        Args:
            network: on this process's device; left in the mode it came in.
            save: gets the output as 8-bit RGB; without reference in the form of its input.
            how: default: in this evaluator's tiles, in float32.
        """
        how = how or Inference(self._tile)
        training = network.training
        network.eval()
        device = self._processes.device
        try:
            with exact_arithmetic():
                return self._score(
                    lambda image: restore(
                        for_task(network, image.task), image.lq, image.scale, device, how
                    ),
                    save,
                )
        finally:
            network.train(training)

    def score_bicubic(self) -> list[ImageScore]:
        """Scores of bicubic up-scaling, the baseline of every table."""
        return self._score(lambda image: imresize(image.lq, image.scale), None)

    @torch.no_grad()
    def _score(self, restorer: Restorer, save: Save | None) -> list[ImageScore]:
        rank, world = self._processes.rank, self._processes.world_size
        mine: list[ImageScore] = []
        with image_threads(self._processes.device) as score_all:
            for dataset in self.sets:
                entries = range(rank, len(dataset), world)
                scored = score_all(
                    partial(self._score_entry, dataset, restorer=restorer, save=save), entries
                )
                mine += tqdm(
                    scored,
                    total=len(entries),
                    desc=dataset.name,
                    unit="image",
                    leave=False,
                    disable=None if self._progress and rank == 0 else True,
                )
        scores = [score for part in self._processes.gather(mine) for score in part]
        order = {dataset.name: i for i, dataset in enumerate(self.sets)}
        scores.sort(key=lambda score: (order[score.dataset], score.entry))
        self._check_failures(scores)
        return [score for score in scores if not score.failed]

    def _score_entry(
        self,
        dataset: EvaluationSet,
        entry: int,
        restorer: Restorer,
        save: Save | None = None,
    ) -> ImageScore:
        image, task = dataset.describe(entry)
        try:
            frozen = dataset.load(entry)
        except ImageError as error:
            return ImageScore(dataset.name, entry, image, task, failed=str(error))
        restored = restorer(frozen)[0]
        if save is not None:
            save(dataset.name, frozen, to_pixels(restored, f"uint{frozen.depth}"))
        metrics = {
            name: metric
            for name, metric in self.metrics.items()
            if frozen.gt is not None or not metric.needs_reference
        }
        if not metrics:
            return ImageScore(dataset.name, entry, image, task)
        colours = as_rgb(restored)
        rounded = to_uint8(colours)
        try:
            values = {
                name: metric(rounded if metric.rounds else to_levels(colours), frozen.gt)
                for name, metric in metrics.items()
            }
        except UserError as error:  # too small for a metric: unusable, as if it were damaged
            reason = f"image '{image}' cannot be scored: {error}"
            return ImageScore(dataset.name, entry, image, task, failed=reason)
        return ImageScore(dataset.name, entry, image, task, values, checksum=frozen.checksum)

    def _check_failures(self, scores: Sequence[ImageScore]) -> None:
        for dataset in self.sets:
            failed = {s.image: s.failed for s in scores if s.dataset == dataset.name and s.failed}
            for image, reason in failed.items():
                if (key := f"{dataset.name}/{image}") not in self._warned:
                    self._warned.add(key)
                    _logger.warning("%s: skipped: %s", dataset.name, reason)
            check_failures(failed, dataset.count, dataset.max_failed)


def task_rows(scores: Sequence[ImageScore], network: str, iteration: int | None) -> list[Row]:
    """Mean of each metric over the images of each (data set, task), in order of appearance."""
    groups: dict[tuple[str, str], list[ImageScore]] = {}
    for score in scores:
        groups.setdefault((score.dataset, score.task), []).append(score)
    rows: list[Row] = []
    for (dataset, task), members in groups.items():
        row: Row = {
            "iter": iteration,
            "dataset": dataset,
            "task": task,
            "network": network,
            "images": len(members),
        }
        for name in members[0].values:
            row[name] = math.fsum(m.values[name] for m in members) / len(members)
        rows.append(row)
    return rows


def image_rows(scores: Sequence[ImageScore]) -> dict[str, list[ImageRow]]:
    """Data set to the scores of its images, for `write_scores`."""
    found: dict[str, list[ImageRow]] = {}
    for score in scores:
        row = ImageRow(score.image, score.task, score.checksum, score.values)
        found.setdefault(score.dataset, []).append(row)
    return found
