from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import SAMPLERS, RandomStreams
from realsr_mtl.errors import UserError
from realsr_mtl.tasks import FamilyTasks

STREAMS = RandomStreams(0)


def families() -> FamilyTasks:
    samplers = {name: SAMPLERS.build({"type": name}, 4) for name in ("RealESRGAN", "BSRGAN")}
    return FamilyTasks(samplers, {"RealESRGAN": 3.0, "BSRGAN": 1.0}, together=4)


def test_every_batch_belongs_to_one_space_drawn_by_its_share():
    tasks, counts = families(), torch.zeros(2)
    for step in range(60):
        task, records = tasks.sample(torch.arange(4 * step, 4 * step + 4), STREAMS)
        assert len(task.unique()) == 1
        assert records.pipeline == ("second_order", "shuffle")[int(task[0])]
        counts[task[0]] += 1
    assert 0.6 < float(counts[0]) / 60 < 0.9
    assert tasks.to_json() == [
        {"name": "RealESRGAN", "mass": 0.75},
        {"name": "BSRGAN", "mass": 0.25},
    ]


def test_records_are_those_of_the_space_alone():
    tasks, index = families(), torch.arange(4)
    _, records = tasks.sample(index, STREAMS, torch.ones(4, dtype=torch.int64))
    alone = SAMPLERS.build({"type": "BSRGAN"}, 4).sample(index, STREAMS)
    assert records.to_json() == alone.to_json()


def test_two_spaces_in_one_batch_are_refused():
    with pytest.raises(UserError, match="RealESRGAN and BSRGAN cannot be in one batch"):
        families().sample(torch.arange(2), STREAMS, torch.tensor([0, 1]))
