from __future__ import annotations

import time

import pytest
import torch

from realsr_mtl.training.clock import StepClock


def test_time_goes_to_the_part_that_ends_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 3.0, 7.0, 17.0, 20.0, 20.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    clock = StepClock(torch.device("cpu"))
    clock.mark("data")
    clock.mark("degrade")
    clock.mark("model")
    clock.skip()  # ten seconds of validation belong to no step
    clock.mark("data")
    assert clock.read() == {"data": 4.0, "degrade": 2.0, "model": 4.0, "total": 10.0}


def test_peak_memory_is_that_of_this_process() -> None:
    assert 0.05 < StepClock(torch.device("cpu")).peak_memory() < 100
