from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import SAMPLERS, RandomStreams
from realsr_mtl.tasks import TASK_SETS, Kinds


def test_every_kind_is_a_task():
    sampler = SAMPLERS.build({"type": "AllInOne", "kinds": ["rain", "noise25", "noise"][:2]}, 1)
    tasks = TASK_SETS.build({"type": "Kinds"}, sampler)
    assert isinstance(tasks, Kinds)
    assert tasks.names == ["rain", "noise25"] and tasks.masses.tolist() == [0.5, 0.5]
    index = torch.arange(60)
    task, records = tasks.sample(index, RandomStreams(0), index % 2)
    assert torch.equal(tasks.assign(records), task)
    assert records["rain_length"].isnan().equal(task == 1)
    natural, records = tasks.sample(index, RandomStreams(0))
    assert torch.equal(tasks.assign(records), natural) and natural.unique().tolist() == [0, 1]


@pytest.mark.parametrize("sampler", [None, SAMPLERS.build({"type": "RealESRGAN"}, 4)])
def test_other_spaces_have_no_kinds(sampler):
    with pytest.raises(ValueError, match="only a space of several kinds has them"):
        TASK_SETS.build({"type": "Kinds"}, sampler)
