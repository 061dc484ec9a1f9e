"""Group distributionally robust optimisation: weight flows to the tasks with the largest loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.tasks import TaskLosses, by_name, from_names

_LOWEST = -600.0
"""Least logarithm of a weight: the weights of any few tasks can still be scaled to the mean 1."""


@WEIGHTINGS.register()
class GroupDRO(TaskWeighting):
    """Exponentiated weights, ``q_t <- q_t exp(step L_t)`` for the tasks present, then sum 1.

    Sagawa et al., "Distributionally Robust Neural Networks for Group Shifts" (ICLR 2020). As there,
    the weights take in the losses of the batch before they are applied; ``w_t = T q_t``.

    Args:
        step: step size; 0.01 in the paper's code. 0 gives equal weights.
    """

    def __init__(self, setting: Setting, *, step: float = 0.01, **others: Any) -> None:
        super().__init__(setting, **others)
        if not step >= 0:
            raise ValueError(f"step must not be negative, found {step}")
        self._step = step
        self._log = self._zeros()

    def weigh(self, step: TaskLosses, number: int) -> Tensor:
        """Move the weights, then use them."""
        log = self._log + self._step * step.mean  # the mean is 0 for absent tasks
        log = log - log.logsumexp(0) + math.log(len(log))
        self._log = log.clamp(min=_LOWEST)
        return super().weigh(step, number)

    def raw(self, step: TaskLosses, number: int) -> Tensor:
        """``T q``."""
        return self._log.exp()

    def state_dict(self) -> dict[str, Any]:
        """The logarithms of the weights by task."""
        return {**super().state_dict(), "log_weights": by_name(self.setting.names, self._log)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, names = dict(state), self.setting.names
        self._log = from_names(names, rest.pop("log_weights"), self._zeros(), "GroupDRO's weights")
        super().load_state_dict(rest)
