"""Sampling with shares given by hand: tuned fixed mixtures, and training on one task alone."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.batch import TaskIds
from realsr_mtl.errors import suggest
from realsr_mtl.strategies.sampling.base import SAMPLINGS, TaskSampling
from realsr_mtl.strategies.setting import Setting


@SAMPLINGS.register()
class Fixed(TaskSampling):
    """Given shares, drawn independently per sample; a task that is not named gets none.

    Args:
        shares: ``{task: share}``, not negative; scaled to the sum 1.
    """

    def __init__(self, setting: Setting, *, shares: dict[str, float]) -> None:
        super().__init__(setting)
        for name in shares:
            if name not in setting.names:
                raise ValueError(f"no task is called '{name}'{suggest(name, setting.names)}")
        values = torch.tensor([shares.get(n, 0.0) for n in setting.names], dtype=torch.float64)
        if not (bool((values >= 0).all()) and 0 < float(values.sum()) < torch.inf):
            raise ValueError(f"shares {shares} must not be negative or all zero")
        self._shares = values / values.sum()

    def choose(self, index: Tensor) -> TaskIds | None:
        """Int64 ``[B]``, by the inverse distribution function of the shares."""
        uniform = self.setting.streams.uniform("task", index, 1)[:, 0]
        last = int(self._shares.nonzero()[-1])  # rounding must not lead beyond it
        return torch.searchsorted(self._shares.cumsum(0), uniform, right=True).clamp(max=last)

    def shares(self) -> Tensor:
        """The given shares."""
        return self._shares
