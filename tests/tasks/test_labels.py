from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.tasks import Labels


class Images:
    tasks = ("rain", "snow", "haze")

    def __len__(self) -> int:
        return 8

    def task(self, position: int) -> int:
        return 0 if position < 6 else 1


def test_masses_are_the_shares_of_the_pairs():
    tasks = Labels.of(Images())
    assert tasks.names == ["rain", "snow", "haze"] and tasks.masses.tolist() == [0.75, 0.25, 0]
    assert tasks.to_json()[1] == {"name": "snow", "mass": 0.25}
    with pytest.raises(ValueError, match="no degradation to draw"):
        tasks.sample(torch.arange(2), RandomStreams(0))
