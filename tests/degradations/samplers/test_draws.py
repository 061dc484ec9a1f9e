from __future__ import annotations

import pytest

from realsr_mtl.degradations.samplers import draws


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (draws.resize(2, 0.3, (0.2, 0.5, 0.3), (0.5, 2)), "resize_scale2"),
        (draws.jpeg(1, 0.3, (30, 95)), "jpeg_quality1"),
        (draws.blur(1, 0.3, (7,), ("iso",), (1,), 0, (0.2, 3)), "sigma_x1"),
    ],
)
def test_a_gate_is_the_probability_of_having_the_parameter(draw, name):
    share = sum(b.probability for b in draw.branches if name in b.parameters)
    assert share == pytest.approx(0.3)
    assert sum(b.probability for b in draw.branches) == pytest.approx(1)


def test_switched_off_noise_is_gaussian_noise_of_strength_zero():
    *_, off = draws.noise(2, 0.25, 0.5, (1, 25), (0.05, 2.5), 0.4).branches
    assert off.probability == 0.75
    assert off.parameters["gaussian_sigma2"].range() == (0, 0)
    assert off.parameters["noise_type2"].range() == (draws.GAUSSIAN, draws.GAUSSIAN)


def test_codes_are_listed_with_what_they_stand_for():
    assert draws.codes(("bicubic", "s-fold")) == "0 bicubic, 1 s-fold"
