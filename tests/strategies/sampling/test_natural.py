from __future__ import annotations

import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies.sampling import Natural
from realsr_mtl.tasks import Partition


def test_tasks_are_left_to_the_degradation_space():
    tasks = Partition(RealESRGAN(4))
    sampling = Natural(tasks, RandomStreams(0))
    assert sampling.choose(torch.arange(5)) is None
    assert torch.equal(sampling.shares(), tasks.masses)
