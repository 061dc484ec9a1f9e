from __future__ import annotations

import json

import pytest
import torch

from realsr_mtl.degradations import Interval, RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.tasks import TASK_SETS, RegionTasks, SingleTask

INDEX = torch.arange(50)
REGIONS = {
    "soft": {"jpeg_quality1": Interval(min=60)},
    "hard": {"jpeg_quality1": Interval(below=60)},
}


def test_natural_draws_are_the_baselines_own():
    sampler, streams = RealESRGAN(4), RandomStreams(3)
    base = sampler.sample(INDEX, streams).to_json()
    for tasks in (RegionTasks(sampler, REGIONS), SingleTask(sampler)):
        task, records = tasks.sample(INDEX, streams)
        assert records.to_json() == base
        assert torch.equal(task, tasks.assign(records))
    single = SingleTask(sampler)
    assert single.sample(INDEX, streams, torch.zeros_like(INDEX))[1].to_json() == base


def test_draws_from_given_tasks_lie_in_them():
    tasks = RegionTasks(RealESRGAN(4), REGIONS)
    wanted = INDEX % 2
    task, records = tasks.sample(INDEX, RandomStreams(3), wanted)
    assert torch.equal(task, wanted) and torch.equal(tasks.assign(records), wanted)
    assert torch.equal(records["jpeg_quality1"] < 60, wanted == 1)


def test_masses_and_json():
    tasks = RegionTasks(RealESRGAN(4), REGIONS)
    assert len(tasks) == 2 and tasks.names == ["soft", "hard"]
    assert tasks.masses.tolist() == pytest.approx([36 / 66, 30 / 66])
    assert json.loads(json.dumps(tasks.to_json())) == [
        {"name": "soft", "mass": tasks.masses[0].item(), "region": {"jpeg_quality1": {"min": 60}}},
        {
            "name": "hard",
            "mass": tasks.masses[1].item(),
            "region": {"jpeg_quality1": {"below": 60}},
        },
    ]


@pytest.mark.parametrize("hard", [Interval(below=50), Interval(below=70)])
def test_records_in_no_task_or_in_two_are_refused(hard):
    tasks = RegionTasks(RealESRGAN(4), {**REGIONS, "hard": {"jpeg_quality1": hard}})
    with pytest.raises(ValueError, match="no task or in more than one"):
        tasks.sample(torch.arange(500), RandomStreams(0))


def test_a_task_without_probability_is_refused():
    with pytest.raises(ValueError, match="no probability"):
        RegionTasks(RealESRGAN(4), {"never": {"jpeg_quality1": Interval(above=95)}})


def test_paired_data_has_one_task_and_no_draws():
    tasks = TASK_SETS.build({"type": "SingleTask"}, None)
    assert tasks.names == ["all"] and tasks.masses.tolist() == [1]
    assert tasks.to_json() == [{"name": "all", "mass": 1, "region": {}}]
    with pytest.raises(ValueError, match="no degradation to draw"):
        tasks.sample(INDEX, RandomStreams(0))
