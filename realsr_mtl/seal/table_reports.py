"""Reports from a table of scores that others computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from realsr_mtl.errors import UserError
from realsr_mtl.seal.lines import Lines
from realsr_mtl.seal.report import CaseScores, Report, make_report
from realsr_mtl.seal.tables import better, read_table, scores_of
from realsr_mtl.tasks import Case


def table_reports(
    file: Path,
    lines: Lines | None,
    cases: Sequence[Case] = (),
    tau: Mapping[str, float] | None = None,
    model: str | None = None,
    name: str | None = None,
) -> list[Report]:
    """A report for each model of a table.

    Args:
        file: the table, see `read_table`.
        lines: of the same cases, or none.
        cases: families, weights and tags, or none.
        tau: least gaps other than the default ones.
        model: this one only.
        name: what to call it.

    Raises:
        UserError: a table, a model or lines that do not fit.
    """
    table = read_table(file)
    models = scores_of(table, model)
    if name and len(models) > 1:
        raise UserError(f"--name is of one model; the table has {', '.join(models)}, see --model")
    reports = []
    for own, headings in models.items():
        values = {metric: table.columns[heading] for metric, heading in headings.items()}
        directions = {metric: better(metric) for metric in values}
        about = {"table": file.name}
        scores = CaseScores(name or own, table.names, values, directions, about)
        reports.append(make_report(scores, lines, cases, tau))
    return reports
