"""The first image of every task as one picture: LQ, restored, HR side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from realsr_mtl.data.reading import Pixels
from realsr_mtl.evaluation.frozen import EvaluationSet, FrozenImage
from realsr_mtl.metrics.base import to_uint8
from realsr_mtl.processes import Processes

Picture = npt.NDArray[np.uint8]
"""``[H, W, 3]`` RGB."""


class Strips:
    """Collects strips while images are scored: pass it to the evaluator as ``save``.

    Args:
        sets: the evaluation sets.
        size: largest side of a part in pixels; the middle of larger images is shown.
        most: tasks of a set.

    Attributes:
        pictures: ``<data set>/<task>`` to strip, of this process's images.
    """

    def __init__(self, sets: Sequence[EvaluationSet], size: int = 128, most: int = 16) -> None:
        self._size = size
        self._first: dict[tuple[str, str], str] = {}
        for dataset in sets:
            for task in dataset.tasks[:most]:
                self._first[dataset.name, task] = ""
            for image, task in map(dataset.describe, range(len(dataset))):
                if self._first.get((dataset.name, task)) == "":
                    self._first[dataset.name, task] = image
        self.pictures: dict[str, Picture] = {}

    def __call__(self, dataset: str, frozen: FrozenImage, output: Pixels) -> None:
        """Keep the strip of an image that is the first of its task and has a reference."""
        first = self._first.get((dataset, frozen.task)) == frozen.name
        if not first or frozen.gt is None or output.shape != frozen.gt.shape:
            return
        large = to_uint8(frozen.lq[0]).repeat(frozen.scale, 0).repeat(frozen.scale, 1)
        parts = [self._middle(image) for image in (large, output.astype(np.uint8), frozen.gt)]
        self.pictures[f"{dataset}/{frozen.task}"] = np.concatenate(parts, 1)

    def gathered(self, processes: Processes) -> dict[str, Picture]:
        """The strips of all processes, on every process."""
        found = {k: v for part in processes.gather(self.pictures) for k, v in part.items()}
        return dict(sorted(found.items()))

    def _middle(self, image: Picture) -> Picture:
        top, left = (max(0, (side - self._size) // 2) for side in image.shape[:2])
        return image[top : top + self._size, left : left + self._size]
