"""How the time of a step divides into waiting for data, degrading and the model."""

from __future__ import annotations

import sys
import time

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


class StepClock:
    """Sums the seconds of named parts of steps, without making a GPU wait.

    On CUDA the parts are timed by events that are read only when a log line is due.

    Args:
        device: where the work runs.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self.reset()

    def reset(self) -> None:
        """Start a new interval."""
        self._seconds: dict[str, float] = {}
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []
        self._start = self._last = time.perf_counter()
        self._event = self._record() if self._cuda else None

    def mark(self, part: str) -> None:
        """The time since the last mark belongs to ``part``."""
        now = time.perf_counter()
        if self._event is not None and part != "data":
            event = self._record()
            self._events.append((part, self._event, event))
            self._event = event
        else:
            self._seconds[part] = self._seconds.get(part, 0.0) + now - self._last
            if self._cuda:
                self._event = self._record()
        self._last = now

    def skip(self) -> None:
        """The time since the last mark belongs to no step (validation, saving)."""
        now = time.perf_counter()
        self._start += now - self._last
        self._last = now
        if self._cuda:
            self._event = self._record()

    def read(self) -> dict[str, float]:
        """Seconds of each part and ``total`` since the last reset."""
        if self._cuda:
            torch.cuda.synchronize()
        seconds = {"data": 0.0, "degrade": 0.0, "model": 0.0, **self._seconds}
        for part, start, end in self._events:
            seconds[part] = seconds.get(part, 0.0) + start.elapsed_time(end) / 1000
        seconds["total"] = time.perf_counter() - self._start
        return seconds

    def peak_memory(self) -> float:
        """Largest memory so far in GiB: of the GPU, or of this process on a CPU.

        NaN for a process on Windows, where Python cannot tell.
        """
        if self._cuda:
            return torch.cuda.max_memory_allocated() / 2**30
        if resource is None:
            return float("nan")
        unit = 2**30 if sys.platform == "darwin" else 2**20  # bytes there, KiB on Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

    @staticmethod
    def _record() -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event
