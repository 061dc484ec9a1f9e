"""Two networks compared on the same cases: SEAL's coarse-to-fine protocol with intervals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from realsr_mtl.errors import UserError
from realsr_mtl.seal.intervals import DRAWS, paired_bootstrap
from realsr_mtl.seal.relative import MEASURES, Relative
from realsr_mtl.seal.report import Report, relative_of

LEAST_RATE = 0.1
"""A network that is accepted more rarely fails nearly everywhere, which makes RPR_I small."""

_ABOUT = {
    "cases": "cases",
    "images": "images",
    "inputs": "LQ images",
    "metrics": "definitions of the metrics",
}


@dataclass(frozen=True)
class Difference:
    """``first - second`` of a measure, with its 95 % interval; NaN where it does not exist."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Comparison:
    """Two networks on the cases that count.

    Attributes:
        first, second: their names.
        differences: measure to difference; empty without lines.
        wins: share of all cases in which the first one scores better.
        better: name of the network that the protocol prefers; "" where nothing decides.
        reason: why, in words.
    """

    first: str
    second: str
    differences: Mapping[str, Difference]
    wins: float
    better: str
    reason: str


def compare(reports: Sequence[Report], metric: str, draws: int = DRAWS) -> list[Comparison]:
    """Every pair of reports.

    "AR is close" means here that the paired bootstrap interval of its difference holds 0; then
    RPR_I, RPR_A and RPR_U are asked in turn, by the same rule. RPR_I is left out where one of both
    is accepted in less than 10 % of the cases.

    Args:
        reports: two or more of `make_report`.
        metric: name of the metric.
        draws: resamples of the bootstrap.

    Raises:
        UserError: reports of other cases, images, lines or definitions.
    """
    if len(reports) < 2:
        raise UserError("a comparison needs two reports or more")
    for other in reports[1:]:
        check_comparable(reports[0], other)
    for report in reports:
        if metric not in report["metrics"]:
            raise UserError(
                f"the report of '{report['network']}' has no metric '{metric}', but "
                f"{', '.join(report['metrics'])}"
            )
    pairs = itertools.combinations(reports, 2)
    return [_compare(first, second, metric, draws) for first, second in pairs]


def check_comparable(first: Report, second: Report) -> None:
    """Refuse reports that are not of the same evaluation.

    Raises:
        UserError: says what differs.
    """
    names = f"'{first['network']}' and '{second['network']}'"
    differing = [
        words
        for key, words in _ABOUT.items()
        if first["about"].get(key) != second["about"].get(key)
    ]
    if {row["case"] for row in first["rows"]} != {row["case"] for row in second["rows"]}:
        differing.append("cases")
    if first["lines"] != second["lines"]:
        differing.append("lines")
    if first["tau"] != second["tau"]:
        differing.append("least gaps (tau)")
    if differing:
        raise UserError(
            f"the reports of {names} were made with other {', '.join(dict.fromkeys(differing))}; "
            "AR and RPR are comparable for the same ones only, evaluate both again"
        )


def _compare(first: Report, second: Report, metric: str, draws: int) -> Comparison:
    wins = _wins(first, second, metric)
    names = first["network"], second["network"]
    if metric not in first["tau"]:
        return Comparison(*names, {}, wins, "", "there are no lines for this metric")
    own, other = relative_of(first, metric), _in_order(first, second, metric)
    differences = {
        name: Difference(*paired_bootstrap(own, other, measure, draws=draws))
        for name, measure in MEASURES.items()
    }
    rates = own.measures()["AR"], other.measures()["AR"]
    better, reason = decide(differences, rates, names)
    return Comparison(*names, differences, wins, better, reason)


def decide(
    differences: Mapping[str, Difference], rates: tuple[float, float], names: tuple[str, str]
) -> tuple[str, str]:
    """The network that the protocol prefers, "" where nothing decides, and the reason."""
    passed = []
    for measure, difference in differences.items():
        if measure == "RPR_I" and min(rates) < LEAST_RATE:
            passed.append(f"RPR_I says nothing with an AR below {LEAST_RATE:g}")
            continue
        if math.isnan(difference.low):
            passed.append(f"{measure} does not exist for both")
            continue
        if difference.clear:
            first = (difference.value > 0) != (measure == "RPR_I")
            interval = f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
            return names[0 if first else 1], "; ".join([*passed, f"{measure} differs: {interval}"])
        passed.append(f"{measure} is close")
    return "", "; ".join(passed)


def _in_order(first: Report, second: Report, metric: str) -> Relative:
    """The second one, with its cases in the order of the first."""
    rows = {row["case"]: row for row in second["rows"]}
    ordered = {**second, "rows": [rows[row["case"]] for row in first["rows"]]}
    return relative_of(ordered, metric)


def _wins(first: Report, second: Report, metric: str) -> float:
    others = {row["case"]: row[metric] for row in second["rows"]}
    sign = -1 if first["metrics"][metric]["better"] == "lower" else 1
    better = [sign * row[metric] > sign * others[row["case"]] for row in first["rows"]]
    return float(np.mean(better))
