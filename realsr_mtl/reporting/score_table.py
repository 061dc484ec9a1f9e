"""Scores of a method as seeds x images x tasks, and whether two tables are of the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.scores import ImageRow

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoreTable:
    """One metric of the runs of a method.

    Attributes:
        name: of the method.
        seeds: of its runs.
        images, tasks: what was scored.
        values: ``[S, N, T]``; NaN where an image has no part in a task.
    """

    name: str
    seeds: tuple[str, ...]
    images: tuple[str, ...]
    tasks: tuple[str, ...]
    values: Values

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Bool ``[N, T]``: the pairs that were scored."""
        return np.isfinite(self.values[0])

    @property
    def task_means(self) -> Values:
        """``[S, T]``: mean over images."""
        return np.asarray(np.nanmean(self.values, axis=1))


def check_same_images(runs: Mapping[str, Sequence[ImageRow]]) -> None:
    """Refuse to compare runs that were not scored on the same pixels.

    Args:
        runs: place (for the message) to scores.

    Raises:
        UserError: other images, tasks or pixels.
    """
    (first, own), *others = runs.items()
    wanted = _pixels(own, first)
    for place, rows in others:
        found = _pixels(rows, place)
        for pair in [*wanted, *found]:
            image, task = pair
            what = f"image '{image}' under task '{task}'"
            if pair not in found or pair not in wanted:
                there, missing = (first, place) if pair in wanted else (place, first)
                raise UserError(f"'{there}' was scored on {what}, '{missing}' was not")
            if wanted[pair] != found[pair]:
                raise UserError(
                    f"{what} has other pixels in '{place}' than in '{first}' (other HR image, "
                    "degradation options or seed of the data set, or another kind of machine); "
                    "such scores do not compare"
                )


def score_table(name: str, metric: str, runs: Mapping[str, Sequence[ImageRow]]) -> ScoreTable:
    """The table of a method.

    Args:
        name: of the method.
        metric: which one.
        runs: seed to scores, all of the same images.

    Raises:
        UserError: scores that are missing or not finite.
    """
    first = next(iter(runs.values()))
    images = {image: i for i, image in enumerate(dict.fromkeys(row.image for row in first))}
    tasks = {task: t for t, task in enumerate(dict.fromkeys(row.task for row in first))}
    values = np.full((len(runs), len(images), len(tasks)), np.nan)
    for s, rows in enumerate(runs.values()):
        for row in rows:
            value = row.values.get(metric, np.nan)
            if not np.isfinite(value):
                raise UserError(
                    f"the {metric} of image '{row.image}' under task '{row.task}' of '{name}' is "
                    f"{value}; means of such scores say nothing"
                )
            values[s, images[row.image], tasks[row.task]] = value
    return ScoreTable(name, tuple(runs), tuple(images), tuple(tasks), values)


def _pixels(rows: Sequence[ImageRow], place: str) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if (row.image, row.task) in found:
            raise UserError(f"'{place}' has two scores of '{row.image}' under task '{row.task}'")
        found[row.image, row.task] = row.checksum
    return found
