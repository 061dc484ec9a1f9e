from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from realsr_mtl.degradations.operators import KERNEL_TYPES, blur, blur_kernels
from realsr_mtl.degradations.operators.padding import reflect_pad
from tests._inputs import photographs
from tests._oracles import basicsr_module
from tests.degradations._records import draws

NAMES = ("kernel_type", "kernel_size", "sigma_x", "sigma_y", "rotation", "beta", "cutoff")

pytestmark = pytest.mark.usefixtures("implementation")


def _kernel(kind: str, size: float, *values: float) -> Tensor:
    columns = [KERNEL_TYPES.index(kind), size, *values]
    return blur_kernels(*torch.tensor(columns, dtype=torch.float64)[:, None])[0]


def _drawn(count: int, stage: int = 1) -> list[Tensor]:
    return [draws()[f"{name}{stage}"][:count] for name in NAMES]


@pytest.mark.parametrize("size", [3, 7, 13, 21])
@pytest.mark.parametrize(
    ("sigma_x", "sigma_y", "rotation", "beta"),
    [(0.2, 3.0, 0.4, 0.5), (3.0, 0.2, -3.1, 4.0), (1.3, 0.9, 1.6, 1.0), (2.0, 2.0, 0.0, 1.7)],
)
@pytest.mark.parametrize("kind", KERNEL_TYPES[:6])
def test_densities_equal_basicsr(kind, size, sigma_x, sigma_y, rotation, beta):
    oracle = basicsr_module("data.degradations")
    iso = not kind.endswith("aniso")
    arguments = (size, sigma_x, sigma_y, rotation)
    if kind.startswith("generalized"):
        expected = oracle.bivariate_generalized_Gaussian(*arguments, beta, isotropic=iso)
    elif kind.startswith("plateau"):
        expected = oracle.bivariate_plateau(*arguments, beta, isotropic=iso)
    else:
        expected = oracle.bivariate_Gaussian(*arguments, isotropic=iso)
    margin = (21 - size) // 2
    kernel = _kernel(kind, size, sigma_x, sigma_y, rotation, beta, math.nan)
    np.testing.assert_allclose(kernel, np.pad(expected, margin), rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [3, 7, 13, 21])
@pytest.mark.parametrize("cutoff", [math.pi / 5, 1.9, math.pi])
def test_sinc_equals_basicsr(size, cutoff):
    expected = basicsr_module("data.degradations").circular_lowpass_kernel(cutoff, size, pad_to=21)
    kernel = _kernel("sinc", size, *[math.nan] * 4, cutoff)
    np.testing.assert_allclose(kernel, expected, rtol=0, atol=1e-6)


def test_all_drawn_kernels_are_normalised_and_end_at_their_size():
    columns = _drawn(1_000, stage=2)
    kernels = blur_kernels(*columns)
    assert kernels.shape == (1_000, 21, 21) and kernels.dtype == torch.float32
    assert torch.allclose(kernels.double().sum((1, 2)), torch.ones(1_000).double(), atol=1e-6)
    assert (kernels[columns[0] < KERNEL_TYPES.index("sinc")] >= 0).all()
    assert torch.allclose(kernels, kernels.flip(1, 2))  # every family is even
    axis = torch.arange(-10, 11).abs()
    reach = torch.maximum(axis[:, None], axis[None])
    outside = reach[None] > (columns[1].nan_to_num(1)[:, None, None] - 1) / 2
    assert (kernels[outside] == 0).all()
    pulse = kernels[columns[0] == KERNEL_TYPES.index("none")]
    assert len(pulse) > 0 and (pulse[:, 10, 10] == 1).all()


def test_a_kernel_does_not_depend_on_its_batch():
    columns = _drawn(100)
    kernels = blur_kernels(*columns)
    assert columns[0].unique().numel() == 7
    for i in range(100):
        assert torch.equal(kernels[i], blur_kernels(*(c[i : i + 1] for c in columns))[0])


def test_isotropic_kernels_ignore_second_axis_and_angle():
    for kind in KERNEL_TYPES[:6:2]:
        full = _kernel(kind, 21, 1.5, 0.3, 1.0, 2.0, 1.0)
        assert torch.equal(full, _kernel(kind, 21, 1.5, math.nan, math.nan, 2.0, math.nan))
        assert torch.allclose(full, full.T) and torch.allclose(full, full.rot90())


def test_rotation_turns_the_long_axis_from_x_to_y():
    lying = _kernel("aniso", 21, 3.0, 1.0, 0.0, math.nan, math.nan)
    assert lying[10, 14] > lying[14, 10]
    upright = _kernel("aniso", 21, 3.0, 1.0, math.pi / 2, math.nan, math.nan)
    assert torch.allclose(upright, lying.T, atol=1e-7)


@pytest.mark.parametrize("size", [(37, 50), (11, 24)])
def test_blur_equals_basicsr(size):
    images = photographs(8, *size)
    kernels = blur_kernels(*_drawn(8))
    expected = basicsr_module("utils.img_process_util").filter2D(images.contiguous(), kernels)
    assert torch.allclose(blur(images, kernels), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (4, 6), (31, 22)])
def test_blur_correlates_with_reflected_borders(size):
    images = photographs(2, *size)
    kernels = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(1)) / 12
    padded = reflect_pad(images.double(), 2)
    windows = padded.unfold(2, 5, 1).unfold(3, 5, 1)
    expected = torch.einsum("bchwij,bij->bchw", windows, kernels.double())
    assert torch.allclose(blur(images, kernels).double(), expected, atol=1e-6)
    alone = torch.cat([blur(images[i : i + 1], kernels[i : i + 1]) for i in range(2)])
    assert torch.allclose(blur(images, kernels), alone, atol=1e-6)


def test_kernels_without_a_middle_are_refused():
    with pytest.raises(ValueError, match="odd width, found 4"):
        blur(photographs(1, 8, 8), torch.ones(1, 4, 4) / 16)
