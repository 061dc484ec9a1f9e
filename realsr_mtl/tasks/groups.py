"""Groups of point tasks, and the rest of the degradation space, as tasks.

TGSR (Zhang et al., NeurIPS 2023) trains on groups G1, G2, ... of points that a network falls short
on, and on G0, the whole space, against forgetting.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import DegradationParameters, DegradationSampler, RandomStreams
from realsr_mtl.naming import file_name
from realsr_mtl.tasks.points import PointTasks, read_points
from realsr_mtl.tasks.task_set import TASK_SETS, TaskSet

REST = "G0"
"""Name of the task that is the whole space."""


class GroupTasks(TaskSet):
    """The groups for training: first one group, then one of its points, both uniformly.

    G0 is the living space: every sample draws a record of its own from it.

    Args:
        sampler: the degradation sampler.
        points: all points, grouped or not.
        groups: name to positions of points.
        together: so many samples in a row share the draw of the group, and samples of one group
            that of the point; the samples of an optimiser step in TGSR.
    """

    def __init__(
        self,
        sampler: DegradationSampler,
        points: PointTasks,
        groups: Mapping[str, Sequence[int]],
        together: int = 1,
    ) -> None:
        names = [REST, *groups]
        masses = torch.full((len(names),), 1 / len(names), dtype=torch.float64)
        super().__init__(sampler, names, masses)
        self._sampler, self.points, self._together = sampler, points, together
        grouped = {point for members in groups.values() for point in members}
        rest = [i for i in range(len(points)) if i not in grouped]
        self.members = {REST: rest, **{name: list(own) for name, own in groups.items()}}
        sizes = [len(own) for own in self.members.values()]
        self._sizes = torch.tensor(sizes)
        self._table = torch.zeros(len(names), max(sizes), dtype=torch.int64)
        for row, own in zip(self._table, self.members.values(), strict=True):
            row[: len(own)] = torch.tensor(own, dtype=torch.int64)

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Draw points of groups, and from the whole space for G0.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, or None to draw the groups uniformly.
        """
        if task is None:
            uniform = streams.uniform("group", index // self._together, 1)[:, 0]
            task = (uniform * len(self)).long()
        return task, self._mixed(task, index, streams, live=task == 0)

    def point(self, index: Tensor, streams: RandomStreams, task: TaskIds) -> Tensor:
        """The points that `sample` draws for given tasks, int64 ``[B]``; of G0 one in no group."""
        uniform = streams.uniform("group point", index // self._together, 1)[:, 0]
        return self._table[task, (uniform * self._sizes[task]).long()]

    def _mixed(
        self, task: TaskIds, index: Tensor, streams: RandomStreams, live: Tensor
    ) -> DegradationParameters:
        """Records of the whole space where ``live [B]``, of points elsewhere."""
        drawn = self._sampler.sample(index, streams)
        point = self.points.records.select(self.point(index, streams, task))
        fixed = self._sampler.with_noise(point, index, streams)
        values = {n: torch.where(live, drawn[n], fixed[n]) for n in drawn.values}
        return DegradationParameters(drawn.pipeline, drawn.scale, values)

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per task: name, natural mass, names of its points; none for G0."""
        return [
            {
                "name": name,
                "mass": float(mass),
                "points": [self.points.names[i] for i in own] if name != REST else None,
            }
            for (name, own), mass in zip(self.members.items(), self.masses, strict=True)
        ]


@TASK_SETS.register()
class Groups(GroupTasks):
    """The groups as tasks to validate on, for every run that is to be compared.

    Natural draws are the baseline's own, from the whole space, and belong to G0, which has all the
    mass. Where G0 is asked for by name, as in validation, it is the points that are in no group.

    Args:
        file: ``groups.json`` of scripts/task_grouping.py:
            ``{"points": file, "groups": [{"name": "G1", "points": [...]}, ...]}``.
    """

    def __init__(self, sampler: DegradationSampler | None, *, file: str) -> None:
        if sampler is None:
            raise ValueError("groups need a degradation; paired data has none")
        super().__init__(sampler, *read_groups(file, sampler))
        self.masses = torch.zeros(len(self), dtype=torch.float64)
        self.masses[0] = 1

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """Draw from the whole space, or points of given tasks.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, or None for the whole space.
        """
        if task is None:
            return torch.zeros_like(index), self._sampler.sample(index, streams)
        nothing_left = (task == 0) & (self._sizes[0] == 0)
        return task, self._mixed(task, index, streams, live=nothing_left)


def read_groups(
    file: str | Path, sampler: DegradationSampler
) -> tuple[PointTasks, dict[str, list[int]]]:
    """Points, and groups by name as positions of points.

    Raises:
        ValueError: no such file, or groups that do not fit the points or each other.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"group file '{file}' does not exist (seen from {Path.cwd()}); make it with "
            "python scripts/task_grouping.py -opt <a file with strategy:grouping>"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"group file '{file}' is no JSON: {error}") from None
    try:
        given = {str(g["name"]): [str(p) for p in g["points"]] for g in content["groups"]}
        named = file_name(str(content["points"]))
    except (KeyError, TypeError, AttributeError):
        raise ValueError(
            f"group file '{file}' is not of the form "
            '{"points": file, "groups": [{"name": ..., "points": [...]}]}'
        ) from None
    except ValueError as error:
        raise ValueError(
            f"group file '{file}': its points are in a file beside it, but {error}"
        ) from None
    beside = Path(file).parent / named
    names, records = read_points(beside, sampler)
    place = {name: position for position, name in enumerate(names)}
    seen: dict[str, str] = {}
    for group, members in given.items():
        if group == REST or not members:
            raise ValueError(f"group file '{file}': group '{group}' is {REST} or empty")
        for name in members:
            if name not in place:
                raise ValueError(f"group file '{file}': '{beside}' has no point '{name}'")
            if name in seen:
                raise ValueError(
                    f"group file '{file}': point '{name}' is in '{seen[name]}' and in '{group}'"
                )
            seen[name] = group
    if not given or len(given) != len(content["groups"]):
        raise ValueError(f"group file '{file}' has no group, or two of one name")
    points = PointTasks(sampler, names, records)
    return points, {group: [place[n] for n in members] for group, members in given.items()}
