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
    new = [name for name in names if name not in saved]
    gone = [name for name in saved if name not in set(names)]
    if new:
        _logger.warning("%s: nothing is saved for task %s; it starts afresh", what, _few(new))
    if gone:
        _logger.warning("%s: task %s is no more; its values are dropped", what, _few(gone))
    values = [saved.get(name, own) for name, own in zip(names, start.tolist(), strict=True)]
    return torch.tensor(values, dtype=start.dtype, device=start.device)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"'{name}'" for name in names[:3]) + more
