from __future__ import annotations

import torch

from realsr_mtl.strategies.sampling import Natural
from tests._strategies import setting


def test_tasks_are_left_to_the_degradation_space():
    sampling = Natural(setting(masses=[0.7, 0.3]))
    assert sampling.choose(torch.arange(5)) is None
    assert sampling.shares().tolist() == [0.7, 0.3]
