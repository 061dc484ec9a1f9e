"""Representative cases: few records that stand for the whole of one or more degradation spaces.

The test conditions of SEAL (Zhang et al., "SEAL: A Framework for Systematic Evaluation of
Real-World Super-Resolution", ICLR 2024). Other than the points of a training they may belong to
several spaces, and they are there to be reported on, never to be trained or selected on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.degradations import (
    SAMPLERS,
    DegradationParameters,
    DegradationSampler,
    RandomStreams,
)
from realsr_mtl.errors import UserError
from realsr_mtl.tasks.task_set import TaskSet

Record = Mapping[str, Any]
"""A record as in JSON: ``pipeline``, ``scale``, parameters; null where there is none."""


@dataclass(frozen=True)
class Case:
    """Where a case comes from and what it stands for.

    Attributes:
        name: of the case.
        family: name of its degradation space in reports.
        weight: part of the pool that its cluster holds; all weights add up to 1.
        space: the block of its degradation, e.g. ``{"type": "RealESRGAN"}``.
        tags: kind to band, e.g. ``{"noise": "10 to 20"}``.
        size: records in its cluster; 0 where that is not known.
        seed: of the pool; None where there was none.
    """

    name: str
    family: str
    weight: float
    space: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    seed: int | None = None


class CaseTasks(TaskSet):
    """Cases as tasks whose records are fixed but for the noise.

    Args:
        cases: what they are.
        records: one for each, as JSON; noise seeds in them are not used.

    Raises:
        ValueError: a record that the space of its case cannot draw.
    """

    def __init__(self, cases: Sequence[Case], records: Sequence[Record]) -> None:
        self.cases = list(cases)
        self.digests = [record_digest(record) for record in records]
        self._members: dict[str, list[int]] = {}
        for place, case in enumerate(self.cases):
            self._members.setdefault(case.family, []).append(place)
        self._samplers: dict[str, DegradationSampler] = {}
        self._records: dict[str, DegradationParameters] = {}
        for family, places in self._members.items():
            own = [plain_record(records[place]) for place in places]
            space = self.cases[places[0]].space
            sampler = SAMPLERS.build(space, int(own[0]["scale"]))
            self._samplers[family] = sampler
            self._records[family] = DegradationParameters.from_json(own)
            sampler.check_records(self._records[family])
            for place, record in zip(places, own, strict=True):
                try:
                    sampler.space.check_point(record)
                except ValueError as error:
                    raise ValueError(f"case '{self.cases[place].name}': {error}") from None
        weights = torch.tensor([case.weight for case in self.cases], dtype=torch.float64)
        first = self._samplers[self.cases[0].family]
        super().__init__(first, [case.name for case in self.cases], weights / weights.sum())
        self._row = torch.zeros(len(self.cases), dtype=torch.int64)
        for places in self._members.values():
            self._row[places] = torch.arange(len(places))

    @property
    def families(self) -> dict[str, Mapping[str, Any]]:
        """The degradation block of every family."""
        return {name: self.cases[own[0]].space for name, own in self._members.items()}

    @property
    def digest(self) -> str:
        """SHA-256 of names and records, in any order."""
        lines = sorted(f"{n} {d}" for n, d in zip(self.names, self.digests, strict=True))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def sample(
        self, index: Tensor, streams: RandomStreams, task: TaskIds | None = None
    ) -> tuple[TaskIds, DegradationParameters]:
        """The records of cases with noise of the samples' own.

        Args:
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
            task: int64 ``[B]``, of one family.

        Raises:
            UserError: no tasks are given, or they belong to several families.
        """
        if task is None:
            raise UserError(
                "representative cases are there to be reported on; a training draws from a "
                "degradation, or from points (tasks: {type: Points})"
            )
        families = {self.cases[place].family for place in task.tolist()}
        if len(families) > 1:
            raise UserError(
                f"cases of {' and '.join(sorted(families))} cannot be in one batch: their "
                "degradations are different pipelines"
            )
        (family,) = families
        chosen = self._records[family].select(self._row[task])
        return task, self._samplers[family].with_noise(chosen, index, streams)

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per case: name, weight, and what it is."""
        entries = []
        for place, case in enumerate(self.cases):
            record = self._records[case.family].select([int(self._row[place])]).to_json()[0]
            entries.append({"name": case.name, "mass": float(self.masses[place]), "record": record})
        return entries


def plain_record(record: Record) -> dict[str, Any]:
    """A record without noise seeds."""
    return {k: v for k, v in record.items() if not k.startswith("noise_seed")}


def record_digest(record: Record) -> str:
    """SHA-256 of a record but for its noise."""
    values = {
        name: float(value) if isinstance(value, (int, float)) else value
        for name, value in plain_record(record).items()
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
