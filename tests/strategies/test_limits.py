from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.limits import LimitedWeights, bounded_shares, limited_change
from tests._strategies import f64, setting


def test_weights_change_by_a_factor_at_most():
    masses = f64([0.5, 0.3, 0.2])
    found = limited_change(f64([4.0, 1.0, 0.1]), f64([1.0, 1.0, 1.0]), masses, 1.25)
    limited = f64([1.25, 1.0, 0.8])
    assert torch.allclose(found, limited / (masses * limited).sum())
    assert float((masses * found).sum()) == pytest.approx(1, abs=1e-15)


def test_shares_within_the_bounds_stay():
    masses = f64([0.5, 0.3, 0.2])
    shares = f64([0.4, 0.35, 0.25])
    assert torch.allclose(bounded_shares(shares, masses, 0.5, 3), shares)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_whatever_comes(seed):
    generator = torch.Generator().manual_seed(seed)
    masses = torch.rand(12, generator=generator, dtype=torch.float64) ** 3 + 1e-4
    masses /= masses.sum()
    shares = masses * torch.exp(3 * torch.randn(12, generator=generator, dtype=torch.float64))
    found = bounded_shares(shares / shares.sum(), masses, 0.5, 3.0)
    assert float(found.sum()) == pytest.approx(1, abs=1e-12)
    assert bool((found >= 0.5 * masses - 1e-12).all())
    assert bool((found <= 3 * masses + 1e-12).all())
    free = (found > 0.5 * masses + 1e-9) & (found < 3 * masses - 1e-9)
    if int(free.sum()) > 1:  # free tasks keep their proportions
        ratio = found[free] / shares[free]
        assert float(ratio.max() / ratio.min()) == pytest.approx(1, abs=1e-9)


def test_equal_bounds_leave_the_masses():
    masses = f64([0.7, 0.2, 0.1])
    assert torch.allclose(bounded_shares(f64([0.1, 0.1, 0.8]), masses, 1.0, 1.0), masses)


def test_weights_of_one_are_the_natural_shares_exactly():
    limited = LimitedWeights(setting(masses=[0.6, 0.3, 0.1]))
    assert torch.equal(
        limited.limited_shares(torch.ones(3, dtype=torch.float64)), f64([0.6, 0.3, 0.1])
    )


def test_the_scale_of_the_weights_does_not_matter():
    one, two = (LimitedWeights(setting()) for _ in range(2))
    weights = f64([1.1, 0.9, 1.2, 0.8])
    assert torch.allclose(one.limited_shares(weights), two.limited_shares(50 * weights))


def test_intervals_begin_after_the_warm_up():
    limited = LimitedWeights(setting(), every=3, warmup=4)
    assert [i for i in range(12) if limited.due(i)] == [4, 7, 10]
    assert [i for i in range(8) if LimitedWeights(setting(), every=3, warmup=0).due(i)] == [0, 3, 6]


def test_limits_build_up_over_intervals_and_survive_saving():
    limited, wanted = LimitedWeights(setting(), step=1.25), f64([8.0, 1.0, 1.0, 1.0])
    first = limited.limited_shares(wanted)
    other = LimitedWeights(setting(), step=1.25)
    other.load_state_dict(limited.state_dict())
    second = limited.limited_shares(wanted)
    assert float(second[0]) > float(first[0]) > 0.25
    assert torch.equal(other.limited_shares(wanted), second)
    for _ in range(20):
        last = limited.limited_shares(wanted)
    assert last.tolist() == pytest.approx([0.625, 0.125, 0.125, 0.125])  # the lower bounds


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"every": 0}, "every must be positive"),
        ({"warmup": -1}, "warmup not negative"),
        ({"lower": 1.5}, r"lower lies in \[0, 1\]"),
        ({"upper": 0.5}, "upper at 1 or above"),
        ({"step": 0.9}, "step must be at least 1"),
    ],
)
def test_senseless_limits_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        LimitedWeights(setting(), **options)
