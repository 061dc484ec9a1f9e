"""Runs of several methods and seeds, compared task by task."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.tables import Row

Scores = Mapping[str, float]
"""Task to value."""


@dataclass(frozen=True)
class Arm:
    """A method: the scores of its runs, one for each seed.

    Attributes:
        name: of the method.
        runs: seed (or any name of the pairing) to scores.
        better: "higher" or "lower".
    """

    name: str
    runs: Mapping[str, Scores]
    better: str = "higher"

    def task(self, task: str) -> list[float]:
        """A task's value in every run."""
        return [scores[task] for scores in self.runs.values()]

    def summary(self, kind: str) -> list[float]:
        """The ``mean`` over tasks, or the ``worst`` task, in every run."""
        worst = min if self.better == "higher" else max
        reduce = worst if kind == "worst" else statistics.fmean
        return [reduce(scores.values()) for scores in self.runs.values()]

    def least_gain(self, baseline: Arm) -> list[float]:
        """In every run, the difference to the baseline of the same seed on the task with the
        smallest improvement; positive is better.
        """
        sign = 1 if self.better == "higher" else -1
        return [
            min(sign * (value - baseline.runs[seed][task]) for task, value in scores.items())
            for seed, scores in self.runs.items()
        ]


def final_scores(rows: Sequence[Row], dataset: str, metric: str) -> tuple[int, dict[str, float]]:
    """Iteration and task values of the last validation in the records of metrics.jsonl.

    Raises:
        UserError: there is none.
    """
    own = [row for row in rows if row["dataset"] == dataset and row["network"] != "bicubic"]
    last = max((row["iter"] for row in own), default=None)
    found = {row["task"]: row.get(metric) for row in own if row["iter"] == last}
    if not found or any(value is None for value in found.values()):
        raise UserError(f"there is no '{metric}' on '{dataset}'")
    assert last is not None
    return last, {task: float(value) for task, value in found.items() if value is not None}


def comparison_table(arms: Sequence[Arm], baseline: str) -> str:
    """A Markdown table: a row for each method, a column for each task, and summaries.

    Every cell is the mean over runs; behind the +- stands the sample standard deviation. The
    least gain over the baseline is formed run by run, between equal seeds: it is positive if the
    method is better on every task.

    Args:
        arms: the methods, all with the same tasks.
        baseline: name of the method to compare with.

    Raises:
        UserError: methods with other tasks or seeds than the baseline.
    """
    base = next(arm for arm in arms if arm.name == baseline)
    tasks = list(next(iter(base.runs.values())))
    for arm in arms:
        if arm.runs.keys() != base.runs.keys():
            raise UserError(
                f"'{arm.name}' has the seeds {', '.join(sorted(arm.runs))} and '{baseline}' "
                f"{', '.join(sorted(base.runs))}; compare equal seeds"
            )
        for seed, scores in arm.runs.items():
            if list(scores) != tasks:
                raise UserError(f"run {seed} of '{arm.name}' has other tasks than '{baseline}'")
    heads = ["method", "runs", *tasks, "mean", "worst", f"least gain over {baseline}"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for arm in arms:
        cells = [_cell(arm.task(task)) for task in tasks]
        cells += [_cell(arm.summary("mean"), 3), _cell(arm.summary("worst"), 3)]
        cells.append("" if arm is base else _cell(arm.least_gain(base), 3, sign=True))
        lines.append(f"| {arm.name} | {len(arm.runs)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(values: Sequence[float], digits: int = 2, sign: bool = False) -> str:
    mean = statistics.fmean(values)
    text = f"{mean:+.{digits}f}" if sign else f"{mean:.{digits}f}"
    if len(values) < 2:
        return text
    return f"{text} ±{statistics.stdev(values):.{max(digits, 3)}f}"
