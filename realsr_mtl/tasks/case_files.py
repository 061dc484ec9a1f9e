"""Files of representative cases, and what must not be in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realsr_mtl.errors import UserError
from realsr_mtl.tasks.cases import Case, CaseTasks, Record, plain_record, record_digest
from realsr_mtl.tasks.points import PointTasks


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
