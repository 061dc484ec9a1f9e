"""Ctrl-C and SIGTERM end a run after the step, with everything saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import torch
import torch.distributed as dist

from realsr_mtl.processes import Processes


class Interrupt:
    """A flag that the first Ctrl-C or SIGTERM raises; the second Ctrl-C stops at once.

    With several processes all of them agree on the step at which they stop, so that none waits
    for another for ever.
    """

    def __init__(self, processes: Processes) -> None:
        self._raised = False
        self._group = None
        if processes.world_size > 1:
            self._group = dist.new_group(backend="gloo")  # a CPU group: no wait for the GPU
        self._old = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._old[number] = signal.signal(number, self._raise)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        if self._raised and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._raised = True

    def requested(self) -> bool:
        """Whether any process was asked to stop; every process gets the same answer."""
        if self._group is None:
            return self._raised
        flag = torch.tensor(int(self._raised))
        dist.all_reduce(flag, dist.ReduceOp.MAX, group=self._group)
        return bool(flag)

    def close(self) -> None:
        """Give the signals back."""
        for number, handler in self._old.items():
            signal.signal(number, handler)
