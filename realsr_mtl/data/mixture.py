"""Several paired sets as one, each as often as wanted."""

from __future__ import annotations

import dataclasses
from typing import Any

from realsr_mtl.data.dataset import DATASETS, ImageDataset, ImageSample
from realsr_mtl.errors import UserError


@DATASETS.register()
class Mixture(ImageDataset):
    """Paired sets together, as in all-in-one restoration: every set has tasks of its own.

    Args:
        sets: blocks of paired sets, e.g. ``{type: PairedImages, task: rain, dataroot_gt: ...,
            dataroot_lq: ..., repeat: 120}``; repeat counts its images so many times in an epoch.
        balance: give every task as many images in an epoch as the largest has (its images take
            turns), on top of repeat.
    """

    has_gt, has_lq = True, True

    def __init__(self, scale: int, *, sets: list[dict[str, Any]], balance: bool = False) -> None:
        if not sets:
            raise ValueError("a mixture needs at least one set")
        self._sets: list[ImageDataset] = []
        by_task: dict[str, list[tuple[int, int]]] = {}
        for number, block in enumerate(sets):
            given = dict(block)
            repeat = given.pop("repeat", 1)
            if not isinstance(repeat, int) or repeat < 1:
                raise ValueError(f"repeat must be a whole number of at least 1, found {repeat!r}")
            images = DATASETS.build(given, scale, path=("sets", number))
            if not (images.has_gt and images.has_lq):
                raise UserError(
                    f"set {number} of the mixture has no pairs; use PairedImages or NoisyImages"
                )
            self._sets.append(images)
            for position in range(len(images)):
                task = images.tasks[images.task(position)]
                by_task.setdefault(task, []).extend([(number, position)] * repeat)
        self.tasks = list(by_task)
        most = max(len(items) for items in by_task.values())
        self._items: list[tuple[int, int, int]] = []
        for label, items in enumerate(by_task.values()):
            count = most if balance else len(items)
            self._items += [(*items[i % len(items)], label) for i in range(count)]
        self.names = [
            f"{number}/{self._sets[number].names[position]}#{place}"
            for place, (number, position, _) in enumerate(self._items)
        ]

    def task(self, position: int) -> int:
        """The task of a pair."""
        return self._items[position][2]

    def load(self, position: int) -> ImageSample:
        """Read a pair."""
        number, own, _ = self._items[position]
        sample = self._sets[number].load(own)
        return dataclasses.replace(sample, name=self.names[position])

    def gt_sources(self) -> set[str]:
        """Where the HR images come from."""
        return set().union(*(images.gt_sources() for images in self._sets))

    def preload(self) -> None:
        """Fill the caches of the sets."""
        for images in self._sets:
            images.preload()
