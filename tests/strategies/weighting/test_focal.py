from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies import SAMPLINGS, WEIGHTINGS
from realsr_mtl.strategies.imbalance import focal_weights
from tests._strategies import f64, setting, step

MASSES = [0.4, 0.3, 0.2, 0.1]
PSNR = [f64([24.0, 23.0, 22.0, 20.0]), f64([24.5, 23.0, 22.5, 20.1]), f64([25.0, 23.2, 22.6, 21.0])]


def test_focal_weights_times_natural_shares_are_the_volumes_of_data_rebalancing():
    """The control has the same expected gradient as the method."""
    made = setting(masses=MASSES)
    options = {"every": 5, "warmup": 0, "gamma": 3.0}
    weighting = WEIGHTINGS.build({"type": "Focal", **options}, made)
    sampling = SAMPLINGS.build({"type": "CDR", **options}, made)
    for k, psnr in enumerate(PSNR):
        assert weighting.due(5 * k) and sampling.due(5 * k)
        weighting.update(5 * k, psnr)
        shares = sampling.update(5 * k, psnr)["share"]
        weights = weighting.weigh(step([0.1] * 4), 5 * k)
        assert torch.allclose(weights * f64(MASSES), shares, rtol=1e-12)
    assert float((weights - 1).abs().max()) > 0.1


def test_weights_are_held_between_updates():
    weighting = WEIGHTINGS.build({"type": "Focal", "every": 5, "warmup": 2}, setting())
    assert weighting.weigh(step([0.1] * 4), 0).tolist() == [1] * 4
    weighting.update(2, PSNR[0])
    first = weighting.weigh(step([0.1] * 4), 2)
    assert torch.equal(weighting.weigh(step([0.9, 0.1, 0.1, 0.1]), 3), first)


def test_dtp_takes_absolute_indicators_without_limits():
    weighting = WEIGHTINGS.build({"type": "DTP", "gamma": 1.0, "absolute": 30.0}, setting())
    assert [i for i in range(1200) if weighting.due(i)] == [0, 500, 1000]
    weighting.update(0, PSNR[0])
    expected = focal_weights(PSNR[0] / 30, 1.0)
    assert torch.allclose(weighting.weigh(step([0.1] * 4), 0), expected / expected.mean())


def test_the_interval_is_checked():
    with pytest.raises(ValueError, match="every must be positive"):
        WEIGHTINGS.build({"type": "DTP", "every": 0}, setting())
