"""Whether lines can be trusted, in a few words for each metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from realsr_mtl.seal.lines import Lines
from realsr_mtl.seal.relative import ROUNDING, Column, gaps

_LEARNT = 0.9
"""Share of cases in which a network that has learnt something is above bicubic up-scaling."""


def line_summary(
    lines: Lines,
    bicubic: Mapping[str, Sequence[float]],
    better: Mapping[str, str],
    tau: Mapping[str, float],
) -> str:
    """Cases that count, ranges, gaps, and what asks for a longer training.

    Args:
        lines: of all cases.
        bicubic: metric to the scores of bicubic up-scaling, in the order of the lines.
        better: metric to "higher" or "lower".
        tau: metric to least gap.
    """
    text = []
    for metric, low in lines.acceptance.items():
        high = lines.excellence[metric]
        gap = gaps(low, high, better[metric])
        counted = int((gap >= tau[metric] - ROUNDING).sum())
        above = int((gaps(np.asarray(bicubic[metric]), low, better[metric]) > 0).sum())
        text += [
            f"{metric}: {counted} of {len(gap)} cases have a gap of {tau[metric]:g} or more",
            f"  acceptance {_range(low)}, excellence {_range(high)} (least, median, most)",
            f"  gap {_range(gap)}; acceptance above bicubic in {above} of {len(gap)} cases",
        ]
        if above < _LEARNT * len(gap):
            text.append("  warning: the acceptance line has not been learnt; train for more steps")
        negative = [name for name, own in zip(lines.names, gap, strict=True) if own < 0]
        if negative:
            text.append(f"  excellence below acceptance, train longer: {', '.join(negative)}")
    return "\n".join(text)


def _range(values: Column) -> str:
    return ", ".join(f"{value:.3f}" for value in np.quantile(values, (0, 0.5, 1)))
