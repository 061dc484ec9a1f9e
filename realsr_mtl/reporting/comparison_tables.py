"""A comparison as rows of cells: scores, gains, and everything in one long table for machines."""

from __future__ import annotations

import csv
import io
import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from realsr_mtl.reporting.bootstrap import Interval
from realsr_mtl.reporting.comparison import Comparison, Difference, spread

MARKS = {1: " ▲", -1: " ▼", 0: ""}
"""Behind a gain: improved, harmed, undecided."""

_LONG = (
    *("metric", "dataset", "method", "baseline", "quantity", "name", "runs", "images"),
    *("score", "score_spread", "baseline_score", "gain", "gain_low", "gain_high", "gain_spread"),
    *("p", "p_adjusted", "decision"),
)


def score_cells(comparison: Comparison) -> list[list[str]]:
    """Tasks and summaries x methods: means over runs, behind the ± the spread over seeds."""
    tables = comparison.tables
    rows = [[comparison.metric, *(f"{t.name} ({len(t.seeds)})" for t in tables)]]
    rows += [
        [task, *(_score(comparison, t.task_means[:, number].tolist()) for t in tables)]
        for number, task in enumerate(comparison.baseline.tasks)
    ]
    rows += [
        [kind, *(_score(comparison, comparison.summary(t, kind)) for t in tables)]
        for kind in comparison.summaries
    ]
    return rows


def gain_cells(comparison: Comparison) -> list[list[str]]:
    """Tasks and summaries x methods: gain over the baseline with its interval and decision."""
    found = comparison.differences
    rows = [[f"gain over {comparison.baseline.name}", *(d.name for d in found)]]
    for task in comparison.baseline.tasks:
        cells = [gain_text(comparison, d.tasks[task]) + MARKS[d.decided(task)] for d in found]
        rows.append([task, *cells])
    means = [gain_text(comparison, d.mean) + MARKS[d.mean_decided] for d in found]
    rows.append(["mean", *means])
    weighted = [gain_text(comparison, d.weighted) for d in found if d.weighted is not None]
    if len(weighted) == len(found) and comparison.masses is not None:
        rows.append(["mass-weighted", *weighted])
    rows.append(["worst", *(gain_text(comparison, d.worst) for d in found)])
    rows.append(["least gain of a task", *(_least(comparison, d) for d in found)])
    rows.append(["every task gains at least", *(_bound(comparison, d) for d in found)])
    rows.append(["tasks improved, harmed", *(_counts(d) for d in found)])
    return rows


def gain_text(comparison: Comparison, gain: Interval) -> str:
    """``+0.031 [+0.020, +0.042]``."""
    digits = comparison.digits
    text = f"{gain.estimate:+.{digits}f}"
    if math.isnan(gain.low):
        return text
    return f"{text} [{gain.low:+.{digits}f}, {gain.high:+.{digits}f}]"


def long_csv(comparisons: Sequence[Comparison]) -> str:
    """A line for each method and task or summary, with all digits."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _LONG)
    writer.writeheader()
    for comparison in comparisons:
        writer.writerows(_long_rows(comparison))
    return text.getvalue()


def _long_rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    base = comparison.baseline
    found = {d.name: d for d in comparison.differences}
    for table in comparison.tables:
        shared = {
            "metric": comparison.metric,
            "dataset": comparison.dataset,
            "method": table.name,
            "baseline": base.name,
            "runs": len(table.seeds),
        }
        difference = found.get(table.name)
        for number, task in enumerate(base.tasks):
            row = {**shared, "quantity": "task", "name": task}
            row["images"] = int(base.present[:, number].sum())
            row |= _scores(table.task_means[:, number].tolist())
            row["baseline_score"] = float(base.task_means[:, number].mean())
            if difference:
                row |= _gain(difference.tasks[task])
                row |= {
                    "p_adjusted": difference.adjusted[task],
                    "decision": difference.decided(task),
                }
            yield row
        for kind in comparison.summaries:
            row = {**shared, "quantity": "summary", "name": kind, "images": len(base.images)}
            row |= _scores(comparison.summary(table, kind))
            row["baseline_score"] = statistics.fmean(comparison.summary(base, kind))
            gains = _summaries(difference) if difference else {}
            if difference and (gain := gains.get(kind)):
                row |= _gain(gain)
            if difference and kind == "mean":
                row |= {
                    "p_adjusted": difference.mean_adjusted,
                    "decision": difference.mean_decided,
                }
            yield row
        if difference:
            least = difference.tasks[difference.least_task].estimate
            row = {**shared, "quantity": "summary", "name": "least gain of a task"}
            yield {**row, "gain": least, "gain_low": difference.least_bound}


def _summaries(difference: Difference) -> dict[str, Interval | None]:
    return {
        "mean": difference.mean,
        "mass-weighted": difference.weighted,
        "worst": difference.worst,
    }


def _scores(values: Sequence[float]) -> dict[str, Any]:
    deviation = spread(values)
    return {
        "score": statistics.fmean(values),
        "score_spread": "" if deviation is None else deviation,
    }


def _gain(gain: Interval) -> dict[str, Any]:
    deviation = spread(gain.seeds)
    return {
        "gain": gain.estimate,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "gain_spread": "" if deviation is None else deviation,
        "p": gain.p,
    }


def _score(comparison: Comparison, values: Sequence[float]) -> str:
    text = f"{statistics.fmean(values):.{comparison.digits}f}"
    deviation = spread(values)
    return text if deviation is None else f"{text} ±{deviation:.{comparison.digits}f}"


def _least(comparison: Comparison, difference: Difference) -> str:
    task = difference.least_task
    return f"{difference.tasks[task].estimate:+.{comparison.digits}f} ({task})"


def _bound(comparison: Comparison, difference: Difference) -> str:
    bound = difference.least_bound
    return "" if math.isnan(bound) else f"{bound:+.{comparison.digits}f}"


def _counts(difference: Difference) -> str:
    up, down = len(difference.which(1)), len(difference.which(-1))
    return f"{up}, {down} of {len(difference.tasks)}"
