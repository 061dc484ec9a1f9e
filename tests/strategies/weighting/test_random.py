from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.weighting import RandomWeighting
from tests._strategies import setting, step


def test_logits_are_standard_normal():
    weighting = RandomWeighting(setting(2000, seed=3))
    logits = torch.cat([weighting.raw(step([0.1] * 2000), n).log() for n in range(10)])
    logits = logits.view(10, 2000) - logits.view(10, 2000).mean(1, keepdim=True)
    assert float(logits.std()) == pytest.approx(1, abs=0.02)
    assert float((logits**4).mean()) == pytest.approx(3, abs=0.3)


def test_every_step_draws_anew_and_repeats_itself():
    one, other = RandomWeighting(setting()), RandomWeighting(setting())
    given = step([0.1] * 4)
    assert torch.equal(one.raw(given, 5), other.raw(given, 5))
    assert not torch.equal(one.raw(given, 5), one.raw(given, 6))
    assert not torch.equal(one.raw(given, 5), RandomWeighting(setting(seed=1)).raw(given, 5))


def test_sigma_is_checked():
    with pytest.raises(ValueError, match="sigma"):
        RandomWeighting(setting(), sigma=-1.0)
