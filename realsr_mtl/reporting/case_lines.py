"""Scores of cases between two lines: SEAL's distributed performance as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from realsr_mtl.reporting.figures import new_figure


def draw_case_lines(
    scores: Mapping[str, Sequence[float]],
    acceptance: Sequence[float],
    excellence: Sequence[float],
    file: Path,
    *,
    axis: str,
    better: str,
) -> Path:
    """Scores of networks over cases that are sorted by the acceptance line, easy ones on the right.

    Args:
        scores: network to scores ``[K]``.
        acceptance: a line ``[K]``.
        excellence: the other one; the band between them is shaded.
        file: PNG to write.
        axis: what the scores are.
        better: "higher" or "lower".
    """
    values = np.asarray(acceptance)
    order = np.argsort(values if better == "higher" else -values, kind="stable")
    places = np.arange(len(order))
    figure = new_figure(8, 4)
    axes = figure.subplots()
    low, high = values[order], np.asarray(excellence)[order]
    axes.fill_between(places, low, high, color="tab:green", alpha=0.25, linewidth=0)
    axes.plot(places, low, color="tab:green", linewidth=1.2, label="acceptance line")
    axes.plot(
        places, high, color="tab:green", linewidth=1.2, linestyle="--", label="excellence line"
    )
    for name, own in scores.items():
        axes.plot(places, np.asarray(own)[order], ".", markersize=5, label=name)
    axes.set_xlabel("cases, sorted by the acceptance line", fontsize=8)
    axes.set_ylabel(axis, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="best")
    figure.savefig(file, dpi=120)
    return file
