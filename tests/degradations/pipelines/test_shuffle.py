from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.degradations import DegradationParameters, RandomStreams
from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators import RESIZE_MODES
from realsr_mtl.degradations.pipelines.shuffle import HALVINGS, NOISES, _mixing, orders, shuffle
from realsr_mtl.degradations.samplers import BSRGAN
from realsr_mtl.degradations.steps import (
    BicubicDownscale,
    Blur,
    Clamp,
    GaussianNoise,
    Jpeg,
    Resize,
    Subsample,
)
from tests.degradations._records import changed


def _records(count: int = 200) -> DegradationParameters:
    return BSRGAN(4).sample(torch.arange(count), RandomStreams(0))


def test_orders_are_all_in_which_shrink_comes_before_settle():
    found = orders()
    assert len(found) == len(set(found)) == math.factorial(6) // 2
    assert all(order.index("shrink") < order.index("settle") for order in found)


def test_operators_come_in_the_order_of_the_record():
    records = changed(_records(), jpeg_quality1=50, shrink_type=0, shrink_factor=0.4, shrink_mode=2)
    kinds = {
        "blur1": [Blur], "blur2": [Blur], "shrink": [Resize, Clamp], "settle": [Resize, Clamp],
        "noise": [GaussianNoise], "jpeg": [Jpeg],
    }  # fmt: skip
    for i, program in enumerate(shuffle(records, (64, 48))):
        expected = [k for name in orders()[int(records["order"][i])] for k in kinds[name]]
        halving = HALVINGS[int(records["halving"][i])]
        first = [] if halving == "none" else [BicubicDownscale if halving == "matlab" else Resize]
        expected = [*first, *([Clamp] if first else []), *expected, Jpeg]
        assert [type(step) for step in program if step is not None] == expected
        size = (64, 48)
        for step in program:
            size = size if step is None else step.new_size(size)
        assert size == (16, 12)


@pytest.mark.parametrize("halving", HALVINGS)
def test_strengths_are_shares_of_what_the_present_scale_allows(halving):
    s = 4 if halving == "none" else 2
    records = changed(
        _records(1),
        halving=HALVINGS.index(halving),
        order=0,
        kernel_type1=0,
        kernel_size1=25,
        blur_sigma1=0.5,
        kernel_type2=1,
        kernel_size2=25,
        blur_variance_x2=0.75,
        blur_variance_y2=0.5,
        rotation2=0,
        shrink_type=0,
        shrink_factor=0.25,
        shrink_mode=1,
    )
    (program,) = shuffle(records, (400, 320))
    steps = [step for step in program if step is not None]
    first, second = (step.kernel.astype(float) for step in steps if isinstance(step, Blur))
    shrink = next(
        s for s in steps if isinstance(s, Resize) and s.mode == 1 and s.size != (200, 160)
    )
    for kernel, along, across in (
        (first, (0.5 * (2 + 0.2 * s)) ** 2, (0.5 * (2 + 0.2 * s)) ** 2),
        (second, 0.75 * (4 + s), 0.5 * (4 + s)),
    ):
        axis = np.arange(len(kernel)) - len(kernel) // 2
        assert (kernel.sum(0) * axis**2).sum() == pytest.approx(along, rel=0.02)
        assert (kernel.sum(1) * axis**2).sum() == pytest.approx(across, rel=0.02)
    part = 1 if s == 4 else 2
    factor = 1 / (1 + 0.25 * (2 * s - 1))
    assert shrink.size == (int(factor * 400 // part), int(factor * 320 // part))


@pytest.mark.parametrize(("scale", "halved"), [(4, False), (4, True), (3, False), (2, False)])
def test_the_shifted_gaussian_is_centred_between_the_pixels_that_remain(scale, halved):
    records = BSRGAN(scale).sample(torch.arange(1), RandomStreams(0))
    code = HALVINGS.index("matlab" if halved else "none")
    records = changed(records, halving=code, order=359, shrink_type=1, shrink_sigma=0.8)
    (program,) = shuffle(records, (96, 96))
    place = next(i for i, step in enumerate(program) if isinstance(step, Subsample))
    kernel, s = program[place - 1].kernel.astype(float), program[place].scale
    assert s == (2 if halved else scale)
    axis = np.arange(len(kernel)) - len(kernel) // 2
    for line in (kernel.sum(0), kernel.sum(1)):
        assert line.sum() == pytest.approx(1, abs=1e-5)
        assert (line * axis).sum() == pytest.approx((s - 1) / 2, abs=0.05)
        sigma = 0.1 + 0.8 * (0.6 * s - 0.1)
        spread = (line * (axis - (s - 1) / 2) ** 2).sum()
        # linear interpolation between pixels adds up to 1/4
        assert sigma**2 - 0.05 <= spread <= sigma**2 + 0.3


def test_correlated_noise_has_bsrgans_covariance():
    records = BSRGAN(4).sample(torch.arange(400), RandomStreams(3))
    correlated = [r for r in records.to_json() if r["noise_type"] == NOISES.index("correlated")]
    assert len(correlated) > 40
    for record in correlated[:20]:
        basis = np.array([record[f"colour_basis{i}"] for i in range(1, 10)]).reshape(3, 3)
        u, _, _ = np.linalg.svd(basis)  # what scipy.linalg.orth returns for full rank
        d = np.diag([record[f"colour_variance{i}"] for i in range(1, 4)])
        covariance = np.abs(u.T @ d @ u)
        _, values, right = np.linalg.svd(covariance)  # numpy's multivariate_normal draws so
        root = np.sqrt(values)[:, None] * right
        mixing = _mixing(record).astype(float)
        np.testing.assert_allclose(mixing.T @ mixing, root.T @ root, atol=1e-6)


def test_area_is_whole_pixels_as_in_real_esrgan():
    (program,) = shuffle(changed(_records(1), settle_mode=0), (64, 64))
    settle = [s for s in program if isinstance(s, Resize) and s.size == (16, 16)][-1]
    image = torch.rand(32, 32, 3)
    result = settle.on_pixels(image.numpy(), Box.whole((32, 32)), (32, 32), Box.whole((16, 16)))
    expected = F.interpolate(image.permute(2, 0, 1)[None], size=(16, 16), mode=RESIZE_MODES[0])
    assert torch.allclose(torch.from_numpy(result).permute(2, 0, 1), expected[0], atol=1e-6)
