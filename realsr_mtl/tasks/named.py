"""Arrays kept per task, saved by task name, so that other tasks never shift them silently."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

_logger = logging.getLogger(__name__)


def by_name(names: Sequence[str], values: Tensor) -> dict[str, float | int]:
    """``{task: value}`` of an array ``[T]``."""
    return dict(zip(names, values.tolist(), strict=True))


def from_names(
    names: Sequence[str], saved: Mapping[str, float | int], start: Tensor, what: str
) -> Tensor:
    """The array ``[T]`` of saved values.

    Args:
        names: the present tasks.
        saved: as `by_name` made it.
        start: ``[T]``, the values of tasks that were not saved.
        what: what the values are, for the warning about tasks that came or went.

    Returns:
        Type and device as `start`.
    """
    own = set(names)
    new = [name for name in names if name not in saved]
    gone = [name for name in saved if name not in own]
    if new:
        _logger.warning("%s: nothing is saved for task %s; it starts afresh", what, _few(new))
    if gone:
        _logger.warning("%s: task %s is no more; its values are dropped", what, _few(gone))
    values = [saved.get(name, first) for name, first in zip(names, start.tolist(), strict=True)]
    return torch.tensor(values, dtype=start.dtype, device=start.device)


class TaskTable:
    """Named rows of numbers per task, float64 ``[R, T]``, zero at first.

    Args:
        names: the tasks.
        rows: names of the rows.
        what: what the rows are, for warnings about tasks that came or went.
        device: where the numbers are.

    Attributes:
        names: the tasks.
        values: ``[R, T]``.
    """

    def __init__(
        self,
        names: Sequence[str],
        rows: Sequence[str],
        what: str,
        device: torch.device | None = None,
    ) -> None:
        self.names, self._rows, self._what = list(names), list(rows), what
        self.values = torch.zeros(len(rows), len(names), dtype=torch.float64, device=device)

    def state_dict(self) -> dict[str, dict[str, float | int]]:
        """``{row: {task: value}}``."""
        return {
            row: by_name(self.names, values)
            for row, values in zip(self._rows, self.values, strict=True)
        }

    def load_state_dict(self, state: Mapping[str, Mapping[str, float | int]]) -> None:
        """Inverse of `state_dict`; tasks are matched by name, new ones start at zero."""
        start = torch.zeros_like(self.values[0])
        rows = [from_names(self.names, state[row], start, self._what) for row in self._rows]
        self.values = torch.stack(rows)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"'{name}'" for name in names[:3]) + more
