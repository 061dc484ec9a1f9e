"""The report of one network: every case, and what the cases say together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from realsr_mtl.errors import UserError
from realsr_mtl.seal.intervals import wilson
from realsr_mtl.seal.lines import TAU, Lines
from realsr_mtl.seal.relative import Column, Relative, gaps, relative
from realsr_mtl.tasks import Case

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_WORST = 5

Report = dict[str, Any]
"""As in ``<network>.json``: plain values, None where a measure does not exist."""


@dataclass(frozen=True)
class CaseScores:
    """Scores of a network on every case.

    Attributes:
        network: its name in reports.
        names: the cases, ``[K]``.
        values: metric to mean score over the images of each case, ``[K]``.
        better: metric to "higher" or "lower".
        about: what was scored: checksums of cases, images and LQ images, metrics, weights.
    """

    network: str
    names: list[str]
    values: Mapping[str, Column]
    better: Mapping[str, str]
    about: Mapping[str, Any] = field(default_factory=dict)


def make_report(
    scores: CaseScores,
    lines: Lines | None = None,
    cases: Sequence[Case] = (),
    tau: Mapping[str, float] | None = None,
) -> Report:
    """What scores say about a network.

    Args:
        scores: of the network.
        lines: of the same cases; without them there are means and quantiles only.
        cases: families, weights and tags; those of the scores, in any order, or none.
        tau: least gap of a case that counts, by metric, where it is not the default.

    Raises:
        UserError: lines or cases that are not those of the scores.
    """
    if lines is not None:
        _check_same(scores.names, lines.names, "lines")
    if cases:
        _check_same(scores.names, [case.name for case in cases], "case file")
    by_name = {case.name: case for case in cases}
    ordered = [by_name[name] for name in scores.names] if cases else []
    rows: list[dict[str, Any]] = [{"case": name} for name in scores.names]
    for row, case in zip(rows, ordered, strict=False):
        row |= {"family": case.family, "weight": case.weight, "tags": dict(case.tags)}
    wanted = {**TAU, **(tau or {})}
    report: Report = {
        "network": scores.network,
        "about": dict(scores.about),
        "lines": None if lines is None else lines.digest,
        "lines_about": None if lines is None else dict(lines.about),
        "tau": {},
        "metrics": {},
        "rows": rows,
    }
    for metric, values in scores.values.items():
        found = _distribution(values, scores.better[metric], scores.names)
        if lines is not None and metric in lines.acceptance:
            if metric not in wanted:
                raise UserError(
                    f"no least gap is known for the metric '{metric}'; give one, seal:tau:{metric} "
                    f"in an option file or --tau {metric}=VALUE"
                )
            report["tau"][metric] = wanted[metric]
            own = _on_one_precision(scores, lines, metric)
            found |= _relative(*own, wanted[metric], scores.better[metric], rows, ordered)
            _into_rows(rows, metric, *own, wanted[metric], scores.better[metric])
        else:
            _into_rows(rows, metric, values)
        report["metrics"][metric] = found
    return report


def relative_of(report: Report, metric: str) -> Relative:
    """The relative performance that a report was made of."""
    columns = [
        np.array([row[f"{metric}{end}"] for row in report["rows"]])
        for end in ("", "_acceptance", "_excellence")
    ]
    better = report["metrics"][metric]["better"]
    return relative(columns[0], columns[1], columns[2], report["tau"][metric], better)


def _check_same(names: Sequence[str], others: Sequence[str], what: str) -> None:
    lacking, more = sorted(set(names) - set(others)), sorted(set(others) - set(names))
    if lacking or more:
        raise UserError(
            f"the scores are of {len(names)} cases, the {what} of {len(others)}; "
            + (f"'{lacking[0]}' has none there" if lacking else f"'{more[0]}' has no score")
        )


def _on_one_precision(
    scores: CaseScores, lines: Lines, metric: str
) -> tuple[Column, Column, Column]:
    """Scores and both lines ``[K]``, in the order of the scores.

    Scores get the decimals of rounded lines; lines are left alone, so that the same cases count for
    every network.
    """
    place = {name: i for i, name in enumerate(lines.names)}
    order = [place[name] for name in scores.names]
    columns = (
        scores.values[metric],
        lines.acceptance[metric][order],
        lines.excellence[metric][order],
    )
    digits = lines.decimals.get(metric)
    own, low, high = columns
    return (own if digits is None else np.round(own, digits)), low, high


def _distribution(values: Column, better: str, names: Sequence[str]) -> dict[str, Any]:
    order = np.argsort(values if better == "higher" else -values, kind="stable")
    tenth = order[: max(1, len(values) // 10)]
    return {
        "better": better,
        "cases": len(values),
        "mean": math.fsum(values) / len(values),
        "quantiles": {str(q): float(np.quantile(values, q)) for q in QUANTILES},
        "worst_tenth": float(values[tenth].mean()),
        "worst": [names[i] for i in order[:_WORST]],
    }


def _relative(
    values: Column,
    acceptance: Column,
    excellence: Column,
    tau: float,
    better: str,
    rows: Sequence[Mapping[str, Any]],
    cases: Sequence[Case],
) -> dict[str, Any]:
    own, gap = relative(values, acceptance, excellence, tau, better), gaps(
        acceptance, excellence, better
    )  # fmt: skip
    names = [row["case"] for row in rows]
    kept = [i for i, valid in enumerate(own.valid) if valid]
    worst = [kept[i] for i in np.argsort(own.ratio, kind="stable")[:_WORST]]
    found = {
        **_measures(own),
        "RPR_quartiles": [_plain(value) for value in own.quartiles],
        "above_excellence": _plain(float(own.excellent.mean()) if len(own.ratio) else math.nan),
        "dropped": [name for name, valid in zip(names, own.valid, strict=True) if not valid],
        "negative_gaps": [name for name, value in zip(names, gap, strict=True) if value < 0],
        "median_gap": float(np.median(gap)),
        "worst": [names[i] for i in worst],
    }
    if cases:
        weights = np.array([cases[i].weight for i in kept])
        total = float(weights.sum())
        accepted = float(weights[own.accepted].sum())
        found["weighted_AR"] = _plain(accepted / total if total else math.nan)
        found["by"] = _by_kind(own, [cases[i] for i in kept])
    return found


def _by_kind(own: Relative, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Measures of the cases of each family and of each band of each tag."""
    labels = [{"family": case.family, **case.tags} for case in cases]
    kinds = dict.fromkeys(kind for label in labels for kind in label)
    found: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        bands = sorted({label[kind] for label in labels if kind in label})
        found[kind] = {
            band: _measures(own.part(np.array([label.get(kind) == band for label in labels])))
            for band in bands
        }
    return found


def _measures(own: Relative) -> dict[str, Any]:
    accepted, count = int(own.accepted.sum()), len(own.ratio)
    return {
        "valid": count,
        "accepted": accepted,
        **{name: _plain(value) for name, value in own.measures().items()},
        "AR_interval": [_plain(limit) for limit in wilson(accepted, count)],
    }


def _into_rows(
    rows: Sequence[dict[str, Any]],
    metric: str,
    values: Column,
    acceptance: Column | None = None,
    excellence: Column | None = None,
    tau: float = 1,
    better: str = "higher",
) -> None:
    for row, value in zip(rows, values, strict=True):
        row[metric] = float(value)
    if acceptance is None or excellence is None:
        return
    own = relative(values, acceptance, excellence, tau, better)
    ratio = np.full(len(values), math.nan)
    ratio[own.valid] = own.ratio
    for row, low, high, place in zip(rows, acceptance, excellence, ratio, strict=True):
        row[f"{metric}_acceptance"], row[f"{metric}_excellence"] = float(low), float(high)
        row[f"{metric}_R"] = _plain(float(place))


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
