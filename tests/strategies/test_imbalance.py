"""Section 5 and 6 of the CDR-style reconstruction, with its worked numbers."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import pytest
import torch

from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.strategies.imbalance import FocalIndicator, focal_weights, read_references
from realsr_mtl.strategies.limits import bounded_shares
from realsr_mtl.strategies.volumes import volumes
from realsr_mtl.tasks import Partition
from tests._strategies import f64, setting

PSNR = f64([23.46, 23.05, 21.90, 21.08, 22.71, 22.30, 21.87, 20.70])
GAP = f64([0.05, 0.10, 0.20, 0.30, 0.10, 0.20, 0.40, 0.60])
MASSES = Partition(RealESRGAN(4)).masses
NAMES = [f"t{i}" for i in range(8)]


def references(values: torch.Tensor) -> str:
    Path("references.json").write_text(
        json.dumps({"psnr": dict(zip(NAMES, values.tolist(), strict=True))})
    )
    return "references.json"


GOLDEN = [
    (
        1,
        True,
        ".877 .953 1.129 1.331 .955 1.123 1.502 1.997",
        "7852 6513 2092 1882 2218 1989 722 732",
    ),
    (
        2,
        True,
        ".812 .919 1.184 1.513 .923 1.174 1.813 2.773",
        "7270 6284 2194 2140 2143 2081 871 1017",
    ),
    (
        5,
        True,
        ".603 .772 1.278 2.082 .778 1.257 2.983 6.942",
        "5784 5658 2538 3156 1936 2387 1441 1100",
    ),
    (
        2,
        False,
        ".729 .882 1.430 1.945 1.025 1.218 1.447 2.223",
        "6525 6026 2650 2750 2380 2159 695 815",
    ),
]


@pytest.mark.parametrize(("gamma", "relative", "omega", "counts"), GOLDEN)
def test_the_golden_example_to_the_last_count(gamma, relative, omega, counts):
    reference = references(PSNR + GAP) if relative else None
    indicator = FocalIndicator(setting(masses=MASSES.tolist()), gamma=gamma, reference=reference)
    found = indicator.measure(PSNR)["omega"]
    assert found.tolist() == pytest.approx([float(x) for x in omega.split()], abs=6e-4)
    shares = bounded_shares(MASSES * found, MASSES, 0.5, 3.0)
    assert volumes(shares, 24_000).tolist() == [int(x) for x in counts.split()]


def test_base_counts():
    expected = [8957, 6835, 1853, 1414, 2322, 1772, 480, 367]
    assert volumes(MASSES, 24_000).tolist() == expected


@pytest.mark.parametrize(
    ("full", "gamma", "ratio"),
    [
        (50, 0, 1.17),
        (50, 1, 1.29),
        (50, 5, 1.91),
        (40, 2, 1.68),
        (30, 0.5, 1.80),
        (30, 5, 8.8),
    ],
)
def test_the_scale_of_the_indicator_decides(full, gamma, ratio):
    weights = focal_weights(PSNR / full, gamma)
    assert float(weights.max() / weights.min()) == pytest.approx(ratio, abs=0.006 * ratio)


def test_the_power_form():
    weights = focal_weights(PSNR / 30, 2, "power")
    assert float(weights.max() / weights.min()) == pytest.approx(2.02, abs=0.006)


def test_the_margin_keeps_a_finished_task_alive():
    kpi = PSNR / (1.05 * (PSNR + GAP))
    weights = focal_weights(kpi, 1)
    assert float(weights.max() / weights.min()) == pytest.approx(2.28, abs=0.006)


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
def test_weights_fall_strictly_with_the_indicator(gamma):
    weights = focal_weights(torch.linspace(0.05, 0.995, 200, dtype=torch.float64), gamma)
    assert bool((weights.diff() < 0).all())
    assert bool((weights > 0).all())


def test_a_perfect_or_hopeless_task_stays_finite():
    indicator = FocalIndicator(setting(2), gamma=2)
    found = indicator.measure(f64([300.0, -4.0]))
    assert found["kappa"].tolist() == [0.995, 0.05]
    assert bool(found["omega"].isfinite().all()) and bool((found["omega"] > 0).all())


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_a_missing_value_leaves_the_previous_one_and_is_logged(missing, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    indicator = FocalIndicator(setting(3))
    assert indicator.measure(f64([20.0, missing, 25.0]))["omega"].tolist()[1] == pytest.approx(1)
    indicator.measure(f64([20.0, 22.0, 25.0]))
    before = indicator.measure(f64([20.0, 22.0, 25.0]))["smoothed"][1].item()
    assert indicator.measure(f64([20.0, missing, 25.0]))["smoothed"][1].item() == before
    assert "no PSNR on the probes of t1" in caplog.text


def test_omega_has_the_natural_mean_one():
    indicator = FocalIndicator(setting(masses=[0.7, 0.2, 0.1]))
    assert indicator.omega().tolist() == [1, 1, 1]
    omega = indicator.measure(f64([24.0, math.nan, 21.0]))["omega"]
    assert float((omega * f64([0.7, 0.2, 0.1])).sum()) == pytest.approx(1, abs=1e-12)


def test_equal_indicators_give_exactly_one():
    found = FocalIndicator(setting(masses=[0.7, 0.2, 0.1])).measure(f64([22.0, 22.0, 22.0]))
    assert found["omega"].tolist() == pytest.approx([1, 1, 1], abs=1e-15)


def test_indicators_are_smoothed_and_restored():
    indicator = FocalIndicator(setting(2), smoothing=0.3)
    indicator.measure(f64([15.0, 21.0]))
    assert indicator.measure(f64([18.0, 21.0]))["smoothed"].tolist() == pytest.approx([0.53, 0.7])
    other = FocalIndicator(setting(2), smoothing=0.3)
    other.load_state_dict(indicator.state_dict())
    later = f64([19.0, 22.0])
    assert torch.equal(other.measure(later)["omega"], indicator.measure(later)["omega"])


def test_gamma_depends_on_the_mode_by_default():
    relative = FocalIndicator(setting(8), reference=references(PSNR + GAP)).measure(PSNR)
    assert torch.equal(
        relative["omega"],
        FocalIndicator(setting(8), gamma=1, reference="references.json").measure(PSNR)["omega"],
    )
    absolute = FocalIndicator(setting(8)).measure(PSNR)["omega"]
    assert torch.equal(absolute, FocalIndicator(setting(8), gamma=2).measure(PSNR)["omega"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "does not exist.*reference_fits"),
        ("[]", "is not a reference file"),
        ("{", "is not a reference file"),
        ('{"psnr": {"t0": "high"}}', "is not a reference file"),
        ('{"psnr": {"t0": 20}}', "has no task 't1'"),
        ('{"psnr": {"t0": 20, "t1": -1}}', "not positive"),
    ],
)
def test_wrong_reference_files_are_named(content, sentence):
    if content is not None:
        Path("r.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        read_references("r.json", ["t0", "t1"])


@pytest.mark.parametrize(
    "options", [{"gamma": -1}, {"margin": -0.1}, {"smoothing": 0}, {"absolute": 0}]
)
def test_senseless_constants_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        FocalIndicator(setting(2), **options)
