from __future__ import annotations

import pytest

from realsr_mtl.degradations import RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies import SAMPLINGS
from realsr_mtl.tasks import Partition


@pytest.mark.parametrize("name", ["Natural", "Uniform"])
def test_shares_are_a_distribution_and_state_is_restored(name):
    tasks = Partition(RealESRGAN(4))
    sampling = SAMPLINGS.build({"type": name}, tasks, RandomStreams(0))
    assert sampling.shares().shape == (8,)
    assert sampling.shares().sum().item() == pytest.approx(1, abs=1e-12)
    sampling.load_state_dict(sampling.state_dict())
    with pytest.raises(ValueError, match=f"{name} keeps no state, found .'weights'."):
        sampling.load_state_dict({"weights": [1]})
