from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies.gradients import NashMTL
from realsr_mtl.strategies.gradients.base import SolverError
from tests._strategies import f64, setting


@pytest.mark.parametrize("count", [2, 5, 16, 64])
@pytest.mark.parametrize("spread", [1.0, 1e4])
def test_the_bargaining_equation_holds(count, spread):
    generator = torch.Generator().manual_seed(count)
    rows = torch.randn(count, 3 * count, generator=generator, dtype=torch.float64)
    rows *= torch.logspace(
        0, 0.5 * torch.tensor(spread).log10().item(), count, dtype=torch.float64
    )[:, None]
    gram = rows @ rows.T
    gram /= gram.diagonal().mean()
    weights = NashMTL(setting(count)).solve(gram, 0)
    assert bool((weights > 0).all())
    assert torch.allclose(gram @ weights, 1 / weights, rtol=1e-5)


def test_orthogonal_gradients_weigh_one_over_their_length():
    weights = NashMTL(setting(2)).solve(torch.diag(f64([1.0, 16.0])), 0)
    assert weights.tolist() == pytest.approx([1, 0.25])


def test_dependent_gradients_are_fine_and_opposite_ones_are_a_failure():
    same = torch.ones(3, 3, dtype=torch.float64)
    assert NashMTL(setting(3)).solve(same, 0).tolist() == pytest.approx([3**-0.5] * 3)
    with pytest.raises(SolverError, match="cancel"):
        NashMTL(setting(2)).solve(f64([1, -1, -1, 1]).view(2, 2), 0)


def test_senseless_options_are_refused():
    with pytest.raises(ValueError, match="must be positive"):
        NashMTL(setting(), max_iters=0)
