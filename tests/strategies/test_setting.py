from __future__ import annotations

import torch

from realsr_mtl.processes import Processes
from tests._strategies import setting


def test_a_setting_has_a_length_and_a_device():
    made = setting(3, processes=Processes(0, 1, torch.device("cpu")))
    assert len(made) == 3
    assert made.device == torch.device("cpu")
    assert setting(3).processes.world_size == 1
