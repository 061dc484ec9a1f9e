"""Settings and steps for tests of strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import Setting
from realsr_mtl.tasks import TaskLosses


def f64(values: Sequence[float]) -> Tensor:
    return torch.tensor(list(values), dtype=torch.float64)


def setting(
    tasks: int = 4,
    masses: Sequence[float] | None = None,
    batch: int = 8,
    seed: int = 0,
    **rest: Any,
) -> Setting:
    """Tasks t0, t1, ... with equal masses unless given."""
    mass = torch.full((tasks,), 1 / tasks, dtype=torch.float64) if masses is None else f64(masses)
    names = [f"t{i}" for i in range(len(mass))]
    return Setting(names, mass, RandomStreams(seed), batch, **rest)


def step(means: Sequence[float | None], counts: Sequence[int] | None = None) -> TaskLosses:
    """Losses with the given task means; None is an absent task."""
    number = f64(counts or [0 if m is None else 2 for m in means])
    return TaskLosses(f64([m or 0.0 for m in means]) * number, number)


class Rank(Processes):
    """One of two processes whose sums with the other one are known beforehand."""

    def __init__(self, rank: int, other: Tensor) -> None:
        super().__init__(rank, 2)
        object.__setattr__(self, "other", other)

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum with what the other process holds."""
        return tensor + self.other  # type: ignore[attr-defined]
