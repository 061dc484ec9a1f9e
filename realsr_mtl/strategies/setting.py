"""What every part of a strategy is built for."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes


@dataclass(frozen=True)
class Setting:
    """Tasks, randomness and processes of a run.

    Attributes:
        names: the tasks in order; what is kept per task is saved by name.
        masses: float64 ``[T]``, the natural probability of each task.
        streams: the run's random streams.
        batch: samples of one optimiser step over all processes.
        processes: this process among all.
    """

    names: list[str]
    masses: Tensor
    streams: RandomStreams
    batch: int
    processes: Processes = field(default_factory=Processes)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def device(self) -> torch.device:
        """Where losses are and weights are needed."""
        return self.processes.device
