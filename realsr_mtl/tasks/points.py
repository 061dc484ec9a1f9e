"""Point tasks: fixed values for every random choice of a degradation space but the noise.

The tasks of TGSR (Zhang et al., "Real-World Image Super-Resolution as Multi-Task Learning",
NeurIPS 2023): every image of a task has the same blur kernels, resizes, noise levels and qualities.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import (
    DegradationParameters,
    DegradationSampler,
    RandomStreams,
    stable_index,
)
from realsr_mtl.tasks.task_set import TASK_SETS, TaskSet

_KEYS = ("task", "pipeline", "scale")


class PointTasks(TaskSet):
    """Points of a degradation space, equally likely.

    Args:
        sampler: the degradation sampler.
        names: of the points.
        records: one for each point; noise seeds in them are not used.
        together: so many samples in a row share the draw of a point.

    Raises:
        ValueError: records of another space.
    """

    def __init__(
        self,
        sampler: DegradationSampler,
        names: Sequence[str],
        records: DegradationParameters,
        together: int = 1,
    ) -> None:
        masses = torch.full((len(names),), 1 / len(names), dtype=torch.float64)
        super().__init__(sampler, names, masses)
        sampler.check_records(records)
        self._sampler, self.records, self._together = sampler, records, together

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """The records of points with noise of the samples' own.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, or None for uniform draws.
        """
        if task is None:
            uniform = streams.uniform("point", index // self._together, 1)[:, 0]
            task = (uniform * len(self)).long()
        return task, self._sampler.with_noise(self.records.select(task), index, streams)

    def part(self, chosen: Sequence[int], together: int = 1) -> PointTasks:
        """The points at the given positions."""
        names = [self.names[i] for i in chosen]
        return PointTasks(self._sampler, names, self.records.select(chosen), together)

    def name_of(self, record: Mapping[str, float | None]) -> str:
        """The point that a record was made from; "" where there is none."""
        same = torch.ones(len(self), dtype=torch.bool)
        for name, values in self.records.values.items():
            value = record[name]
            same &= values.isnan() if value is None else values == value
        return self.names[int(same.nonzero()[0, 0])] if bool(same.any()) else ""

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per task: name, natural mass, record."""
        return [
            {"name": name, "mass": float(mass), "record": record}
            for name, mass, record in zip(
                self.names, self.masses, self.records.to_json(), strict=True
            )
        ]


@TASK_SETS.register()
class Points(PointTasks):
    """Point tasks from a file that scripts/task_grouping.py wrote.

    Args:
        file: JSON Lines, one record a line: ``{"task": ..., "pipeline": ..., "scale": ...,
            parameter: value, ...}``; null where a sample has no such parameter.
    """

    def __init__(self, sampler: DegradationSampler | None, *, file: str) -> None:
        if sampler is None:
            raise ValueError("point tasks need a degradation; paired data has none")
        super().__init__(sampler, *read_points(file, sampler))


def draw_points(sampler: DegradationSampler, count: int, seed: int) -> PointTasks:
    """Points drawn from the natural distribution of a space.

    Args:
        sampler: the degradation sampler.
        count: number of points; more of them leave the first ones as they are.
        seed: of the draws.

    Returns:
        Tasks called ``p0000``, ``p0001``, ...
    """
    index = torch.tensor([stable_index("point task", str(i)) for i in range(count)])
    drawn = sampler.sample(index, RandomStreams(seed))
    values = {name: drawn[name] for name in sampler.space.parameters}
    records = DegradationParameters(drawn.pipeline, drawn.scale, values)
    return PointTasks(sampler, [f"p{i:04d}" for i in range(count)], records)


def points_text(points: PointTasks) -> str:
    """The content of a file of points; Python's JSON reads every number back bit for bit."""
    entries = zip(points.names, points.records.to_json(), strict=True)
    return "".join(f"{json.dumps({'task': name, **record})}\n" for name, record in entries)


def read_points(
    file: str | Path, sampler: DegradationSampler
) -> tuple[list[str], DegradationParameters]:
    """Names and records of a file of points.

    Raises:
        ValueError: no such file, not a file of points, or points that the degradation cannot draw.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError:
        raise ValueError(f"point file '{file}' does not exist (seen from {Path.cwd()})") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"point file '{file}' is not made of JSON lines: {error}") from None
    try:
        names = [str(entry.pop("task")) for entry in entries]
        for entry in entries:
            entry.pop("case", None)  # of representative cases: where they come from
        records = DegradationParameters.from_json(entries) if entries else None
    except (KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError(
            f"point file '{file}' must have {', '.join(_KEYS)} and numbers in every line"
        ) from None
    except ValueError as error:
        raise ValueError(f"point file '{file}': {error}") from None
    if records is None:
        raise ValueError(f"point file '{file}' has no task")
    if len(set(names)) != len(names):
        raise ValueError(f"point file '{file}' has two tasks of one name")
    at = 0
    try:
        sampler.check_records(records)
        for at, record in enumerate(records.to_json()):  # noqa: B007
            sampler.space.check_point(record)
    except ValueError as error:
        raise ValueError(
            f"point '{names[at]}' of '{file}' belongs to another degradation: {error}"
        ) from None
    return names, records
