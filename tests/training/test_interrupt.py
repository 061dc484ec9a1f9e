from __future__ import annotations

import os
import signal

import pytest

from realsr_mtl.processes import Processes
from realsr_mtl.training.interrupt import Interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_kept_for_the_end_of_the_step(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    interrupt = Interrupt(Processes())
    try:
        assert not interrupt.requested()
        os.kill(os.getpid(), number)
        assert interrupt.requested()
    finally:
        interrupt.close()
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_stops_at_once() -> None:
    interrupt = Interrupt(Processes())
    try:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        interrupt.close()
