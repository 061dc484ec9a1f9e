"""Oracles for the methods of torchjd: their defining properties, and torchjd's own aggregators."""

from __future__ import annotations

import importlib
import sys

import pytest
import torch

from realsr_mtl.errors import UnavailableError
from realsr_mtl.strategies import GRADIENTS
from realsr_mtl.strategies.gradients.base import SolverError
from tests._strategies import f64, setting

torchjd = pytest.importorskip("torchjd.aggregation")


def rows(seed: int = 0, count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 30, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "aggregator"),
    [
        ("MGDA", lambda: torchjd.MGDA()),
        ("IMTLG", lambda: torchjd.IMTLG()),
        ("AlignedMTL", lambda: torchjd.AlignedMTL()),
        ("CAGrad", lambda: torchjd.CAGrad(c=0.4)),
        ("UPGrad", lambda: torchjd.UPGrad()),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_the_step_is_that_of_torchjd(name, aggregator, seed):
    try:
        combination = GRADIENTS.build({"type": name, "normalize": False}, setting(4))
        reference = aggregator()
    except (UnavailableError, ImportError) as error:
        pytest.skip(str(error))
    matrix = rows(seed)
    matrix = matrix / (matrix @ matrix.T).diagonal().mean().sqrt()
    weights = combination.combine(matrix @ matrix.T, torch.arange(4), 0)
    assert torch.allclose(weights @ matrix / 4, reference(matrix), rtol=1e-4, atol=1e-5)


def test_pcgrad_without_conflict_is_the_sum():
    matrix = rows().abs()
    combination = GRADIENTS.build({"type": "PCGrad", "normalize": False}, setting(4))
    assert combination.combine(matrix @ matrix.T, torch.arange(4), 0).tolist() == [1] * 4


def test_pcgrad_of_two_removes_the_conflict():
    matrix = f64([1, 0, -1, 1]).view(2, 2)
    combination = GRADIENTS.build({"type": "PCGrad", "normalize": False}, setting(2))
    step = combination.combine(matrix @ matrix.T, torch.arange(2), 0) @ matrix
    assert step.tolist() == pytest.approx([0.5, 1.5])  # (1/2, 1/2) + (0, 1)


def test_pcgrad_draws_another_order_in_every_step():
    matrix = rows(3)[:, :3]
    combination = GRADIENTS.build({"type": "PCGrad"}, setting(4))
    found = {tuple(combination.solve(matrix @ matrix.T, n).tolist()) for n in range(12)}
    assert len(found) > 1


def test_mgda_never_opposes_a_task():
    matrix = rows(1)
    weights = GRADIENTS.build({"type": "MGDA"}, setting(4)).combine(
        matrix @ matrix.T, torch.arange(4), 0
    )
    assert float((matrix @ (weights @ matrix)).min()) > -1e-2


def test_imtl_g_projects_equally():
    matrix = rows(2)
    weights = GRADIENTS.build({"type": "IMTL-G"}, setting(4)).combine(
        matrix @ matrix.T, torch.arange(4), 0
    )
    projections = matrix @ (weights @ matrix) / matrix.norm(dim=1)
    assert float(projections.std()) < 1e-6


@pytest.mark.parametrize("mode", ["median", "rmse"])
def test_aligned_mtl_modes_differ_by_a_factor(mode):
    gram = rows(5) @ rows(5).T
    one = GRADIENTS.build({"type": "AlignedMTL"}, setting(4)).solve(gram, 0)
    other = GRADIENTS.build({"type": "AlignedMTL", "scale_mode": mode}, setting(4)).solve(gram, 0)
    ratio = other / one
    assert float(ratio.max() - ratio.min()) < 1e-9 and float(ratio[0]) > 1


def test_cagrad_with_radius_zero_is_the_mean():
    combination = GRADIENTS.build({"type": "CAGrad", "c": 0.0}, setting(4))
    gram = rows() @ rows().T
    assert combination.combine(gram, torch.arange(4), 0).tolist() == pytest.approx([1] * 4)


def test_an_error_of_the_solver_becomes_a_failure():
    combination = GRADIENTS.build({"type": "MGDA"}, setting(4))
    combination._solver = lambda gram: 1 / 0
    with pytest.raises(SolverError, match="division by zero"):
        combination.solve(torch.eye(4, dtype=torch.float64), 0)


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(UnavailableError, match=r"MGDA needs .*realsr-mtl\[gradients\]"):
        GRADIENTS.build({"type": "MGDA"}, setting(4))


def test_upgrad_names_its_own_solver(monkeypatch):
    if importlib.util.find_spec("quadprog"):
        pytest.skip("quadprog is installed")
    with pytest.raises(UnavailableError, match=r"UPGrad needs .*torchjd\[quadprog_projector\]"):
        GRADIENTS.build({"type": "UPGrad"}, setting(4))


def test_senseless_options_are_refused():
    with pytest.raises(ValueError, match="c must not be negative"):
        GRADIENTS.build({"type": "CAGrad", "c": -1.0}, setting(4))
