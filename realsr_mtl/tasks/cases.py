"""Representative cases: few records that stand for the whole of one or more degradation spaces.

The test conditions of SEAL (Zhang et al., "SEAL: A Framework for Systematic Evaluation of
Real-World Super-Resolution", ICLR 2024). Other than the points of a training they may belong to
several spaces, and they are there to be reported on, never to be trained or selected on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
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
from realsr_mtl.tasks.points import PointTasks
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


def cases_text(cases: Sequence[Case], records: Sequence[Record]) -> str:
    """The content of a file of cases: lines of a file of points with one key more, ``case``."""
    lines = []
    for case, record in zip(cases, records, strict=True):
        about = {k: v for k, v in asdict(case).items() if k != "name"}
        lines.append(json.dumps({"task": case.name, "case": about, **plain_record(record)}))
    return "\n".join(lines) + "\n"


def read_cases(file: str | Path) -> CaseTasks:
    """The cases of a file.

    Raises:
        UserError: no such file, or not a file of cases.
    """
    entries = _entries(file, "case file", "python scripts/seal.py cases")
    cases, records = [], []
    try:
        for entry in entries:
            about = entry["case"]
            records.append({k: v for k, v in entry.items() if k not in ("task", "case")})
            cases.append(Case(name=str(entry["task"]), **about))
    except (KeyError, TypeError):
        raise UserError(
            f"case file '{file}' must have task, case (with family, weight, space), pipeline, "
            "scale and numbers in every line; make it with python scripts/seal.py cases"
        ) from None
    if not cases:
        raise UserError(f"case file '{file}' holds no case")
    if len({case.name for case in cases}) != len(cases):
        raise UserError(f"case file '{file}' has two cases of one name")
    try:
        return CaseTasks(cases, records)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"case file '{file}': {error}") from None


def check_points_apart(cases: CaseTasks, points: PointTasks, what: str) -> None:
    """Refuse points for training or grouping that are cases of a report.

    Args:
        cases: those of the report.
        points: the others.
        what: the points in words, for the sentence.

    Raises:
        UserError: a record is in both.
    """
    others = [record_digest(record) for record in points.records.to_json()]
    _refuse_shared(cases, dict(zip(others, points.names, strict=True)), what)


def check_file_apart(cases: CaseTasks, file: str | Path) -> None:
    """Refuse a file of points or cases that shares records, or its pool, with the cases.

    Raises:
        UserError: they share something, or there is no such file.
    """
    entries = _entries(file, "point file", "python scripts/task_grouping.py")
    digests: dict[str, str] = {}
    for entry in entries:
        record = {k: v for k, v in entry.items() if k not in ("task", "case")}
        digests[record_digest(record)] = str(entry.get("task"))
    _refuse_shared(cases, digests, f"'{file}'")
    pools = {_pool(case.space, case.seed) for case in cases.cases if case.seed is not None}
    for about in (entry.get("case") for entry in entries):
        if about and _pool(about.get("space"), about.get("seed")) in pools:
            raise UserError(
                f"the cases of '{file}' were drawn from the same pool, seed {about['seed']}, as "
                "the cases of the report; draw one of them with another seal:seed"
            )


def _refuse_shared(cases: CaseTasks, others: Mapping[str, str], what: str) -> None:
    shared = [
        (name, others[digest])
        for name, digest in zip(cases.names, cases.digests, strict=True)
        if digest in others
    ]
    if shared:
        raise UserError(
            f"{len(shared)} cases of the report are also in {what}, e.g. '{shared[0][0]}' as "
            f"'{shared[0][1]}'; nothing is selected on the cases of a report: draw one of them "
            "with another seed"
        )


def _pool(space: Any, seed: Any) -> str:
    return json.dumps([space, seed], sort_keys=True)


def _entries(file: str | Path, kind: str, maker: str) -> list[dict[str, Any]]:
    try:
        lines: Iterable[str] = Path(file).read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if line.strip()]
    except FileNotFoundError:
        raise UserError(
            f"{kind} '{file}' does not exist (seen from {Path.cwd()}); make it with {maker}"
        ) from None
    except ValueError as error:
        raise UserError(f"{kind} '{file}' is not made of JSON lines: {error}") from None
    if not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{kind} '{file}' is not made of JSON objects")
    return entries
