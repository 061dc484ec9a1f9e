from __future__ import annotations

import math

import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies import Setting
from realsr_mtl.strategies.sampling import Uniform
from realsr_mtl.tasks import Partition
from tests._asserts import assert_uniform_on, global_randomness_untouched
from tests._strategies import setting


def test_tasks_are_equally_frequent_and_independent_of_the_batch():
    index = torch.arange(50_000)
    sampling = Uniform(setting(8))
    with global_randomness_untouched():
        chosen = sampling.choose(index)
    assert chosen.dtype == torch.int64
    assert_uniform_on(chosen, range(8))
    pair = torch.stack((chosen[1:], chosen[:-1])).double()
    assert abs(torch.corrcoef(pair)[0, 1]) < 4.5 / math.sqrt(len(index))
    assert torch.equal(chosen[100:110], sampling.choose(index[100:110]))
    assert not torch.equal(chosen, Uniform(setting(8, seed=1)).choose(index))
    assert torch.equal(sampling.shares(), torch.full((8,), 1 / 8, dtype=torch.float64))


def test_the_task_does_not_decide_the_rest_of_the_sample():
    tasks, streams, index = Partition(RealESRGAN(4)), RandomStreams(0), torch.arange(20_000)
    task = Uniform(Setting(tasks.names, tasks.masses, streams, 8)).choose(index)
    _, records = tasks.sample(index, streams, task)
    free = torch.stack([task.double(), records["jpeg_quality1"], records["jpeg_quality2"]])
    cross = torch.corrcoef(free) - torch.eye(3)
    assert cross.abs().max() < 4.5 / math.sqrt(len(index))
