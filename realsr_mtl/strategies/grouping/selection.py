"""The decisions of TGSR as pure functions: which tasks are unsatisfactory, which form a group."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from realsr_mtl.degradations import RandomStreams

Unit = Literal["dB", "quantile"]
"""What a threshold is: an improvement in dB, or a quantile of the improvements of a round."""


def unsatisfactory(scores: Tensor, fraction: float, threshold: float | None) -> list[int]:
    """The tasks that a short fine-tune improved most.

    Args:
        scores: ``[N]``, loss after over loss before; low is unsatisfactory.
        fraction: the lowest ``ceil(fraction * N)``; of equal scores the first tasks.
        threshold: all below it instead, if given.

    Returns:
        Positions in ascending order.
    """
    if threshold is not None:
        return (scores < threshold).nonzero()[:, 0].tolist()
    count = math.ceil(fraction * len(scores) - 1e-9)  # 0.1 * 30 is above 3 in floating point
    return sorted(scores.argsort(stable=True)[:count].tolist())


@dataclass(frozen=True)
class Round:
    """One grouping round.

    Attributes:
        threshold: as given.
        limit: the same in dB.
        tasks: positions of the tasks that were left, ascending.
        improvement: float64 ``[len(tasks)]``, their improvement scores in dB.
        group: positions of those that form the group.
    """

    threshold: float
    limit: float
    tasks: list[int]
    improvement: Tensor
    group: list[int]


def group_in_rounds(
    tasks: Sequence[int],
    thresholds: Sequence[float],
    unit: Unit,
    improve: Callable[[int, list[int]], Tensor],
    *,
    single: bool = False,
) -> list[Round]:
    """Groups of tasks that improve most when trained jointly.

    In every round the network is trained on the tasks that are left; those above the threshold are
    a group and leave. With quantiles, the group of threshold ``q`` are the ``ceil((1 - q) n)`` best
    of ``n`` tasks.

    Args:
        tasks: positions of the unsatisfactory tasks, ascending.
        thresholds: strictly decreasing, one for each round.
        unit: of the thresholds.
        improve: round number and positions to improvement scores in dB.
        single: train once on all tasks and cut the same scores by all thresholds (an ablation).

    Returns:
        The rounds; those without a task above the threshold have an empty group.
    """
    rounds: list[Round] = []
    left, first = list(tasks), torch.empty(0)
    place = {task: position for position, task in enumerate(tasks)}
    for number, threshold in enumerate(thresholds):
        if not left:
            break
        if single:
            first = improve(0, left) if number == 0 else first
            scores = first[[place[task] for task in left]]
        else:
            scores = improve(number, left)
        above, limit = _above(scores, threshold, unit, first if single else scores)
        group = [task for task, inside in zip(left, above.tolist(), strict=True) if inside]
        rounds.append(Round(threshold, limit, left, scores, group))
        taken = set(group)
        left = [task for task in left if task not in taken]
    return rounds


def _above(
    scores: Tensor, threshold: float, unit: Unit, population: Tensor
) -> tuple[Tensor, float]:
    """Which scores are above a threshold, and the threshold in dB."""
    if unit == "dB":
        return scores > threshold, threshold
    gone = len(population) - len(scores)
    count = max(0, math.ceil((1 - threshold) * len(population) - 1e-9) - gone)
    chosen = scores.argsort(descending=True, stable=True)[:count]
    above = torch.zeros(len(scores), dtype=torch.bool)
    above[chosen] = True
    return above, float(scores[chosen].min()) if count else math.inf


def random_groups(sizes: Sequence[int], points: int, streams: RandomStreams) -> list[list[int]]:
    """Disjoint groups of the given sizes, drawn from all points: the control of a grouping."""
    order = streams.permutation("random groups", 0, points)
    return [sorted(part.tolist()) for part in order[: sum(sizes)].split(list(sizes))]
