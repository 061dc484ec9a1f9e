from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies import GROUPINGS, Grouping
from tests.tasks.test_groups import write


@pytest.mark.parametrize(("per", "together"), [("step", 6), ("sample", 1)])
def test_a_step_or_a_sample_has_one_task(per: str, together: int):
    grouping = GROUPINGS.build({"type": "GivenGroups", "file": write(), "per": per})
    tasks = grouping.tasks(RealESRGAN(4), batch=6)
    task, _ = tasks.sample(torch.arange(120), RandomStreams(0))
    alike = (task.view(20, 6) == task.view(20, 6)[:, :1]).all(1)
    assert bool(alike.all()) == (together == 6)
    assert tasks.names == ["G0", "G1", "G3"] and tasks.masses.tolist() == [1 / 3] * 3


def test_the_base_names_no_file():
    with pytest.raises(TypeError, match="abstract"):
        Grouping()  # type: ignore[abstract]
