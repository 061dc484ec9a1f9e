from __future__ import annotations

from contextlib import nullcontext

from torch import nn

from realsr_mtl.processes import Processes
from realsr_mtl.training.exchange import exchanging, without_exchange


def test_one_process_runs_the_network_itself():
    """Several are tested in tests/smoke/test_processes.py."""
    network = nn.Linear(1, 1)
    assert exchanging(network, Processes()) is network
    assert isinstance(without_exchange(network, True), nullcontext)
