"""The base of the parts of a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from realsr_mtl.strategies.setting import Setting

TaskColumns = dict[str, Tensor]
"""Name of a per-task quantity to its values ``[T]``; NaN where a task has none."""


class StrategyPart:
    """Something that decides about tasks in a `Setting`, and what it must remember.

    Parts are put together by inheritance: every constructor takes its own options and passes the
    others on, every state is that of the next class and one's own.

    Attributes:
        needs_probes: its `update` reads the PSNR of the network on the probe images of each task.
    """

    needs_probes = False

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def due(self, iteration: int) -> bool:
        """Whether `update` is to be called before this iteration (steps made so far)."""
        return False

    def update(self, iteration: int, psnr: Tensor | None) -> TaskColumns:
        """Decide anew.

        Args:
            iteration: steps made so far.
            psnr: float64 ``[T]`` on the CPU, mean PSNR in dB on the probes of each task; None
                unless `needs_probes`.

        Returns:
            What is to be logged about the decision.
        """
        return {}

    def columns(self) -> TaskColumns:
        """What is to be logged about the steps since the last log line; starts a new line."""
        return {}

    def counts(self) -> dict[str, float]:
        """What is to be logged once for all tasks, e.g. how often something failed."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """What must be saved; keyed by task name where it is per task."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`; a class takes its own keys and passes the others on."""
        if state:
            raise ValueError(f"{type(self).__name__} does not keep {', '.join(sorted(state))}")
