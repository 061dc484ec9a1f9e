from __future__ import annotations

import math

import pytest
import torch

from realsr_mtl.degradations.operators import usm_sharpen
from realsr_mtl.degradations.operators.padding import reflect_pad
from tests._inputs import photographs
from tests._oracles import basicsr_module

pytestmark = pytest.mark.usefixtures("implementation")


def test_equals_basicsr():
    image = photographs(2, 70, 52)
    assert not torch.allclose(usm_sharpen(image), image, atol=1e-2)
    expected = basicsr_module("utils.img_process_util").USMSharp()(image.contiguous())
    assert torch.allclose(usm_sharpen(image), expected, atol=1e-5)


@pytest.mark.parametrize(("weight", "threshold"), [(0.5, 10.0), (1.5, 3.0)])
@pytest.mark.parametrize("size", [(1, 1), (6, 9), (60, 40)])
def test_equals_the_formula_in_double_precision(size, weight, threshold):
    image = photographs(2, *size).double()
    axis = torch.arange(-25, 26, dtype=torch.float64)
    line = torch.exp(-(axis**2) / (2 * 8.0**2))
    line /= line.sum()

    def smooth(x):
        rows = reflect_pad(x, 25).unfold(2, 51, 1) @ line
        return rows.unfold(3, 51, 1) @ line

    residual = image - smooth(image)
    mask = smooth((residual.abs() * 255 > threshold).double())
    sharp = (image + weight * residual).clamp(0, 1)
    expected = mask * sharp + (1 - mask) * image
    result = usm_sharpen(image.float(), weight, threshold)
    assert torch.allclose(result.double(), expected, atol=1e-4)


def test_flat_images_and_faint_detail_stay():
    flat = torch.full((1, 3, 30, 30), 0.6)
    assert torch.allclose(usm_sharpen(flat), flat, atol=1e-6)
    y, x = torch.meshgrid(torch.arange(30.0), torch.arange(30.0), indexing="ij")
    faint = flat + 9 / 255 * torch.sin(math.pi / 2 * (x + y))
    assert torch.allclose(usm_sharpen(faint), faint, atol=1e-6)


def test_stays_in_range_and_does_not_depend_on_the_batch():
    images = photographs(3, 40, 40)
    result = usm_sharpen(images)
    assert result.min() >= 0 and result.max() <= 1
    for i in range(3):
        assert torch.allclose(usm_sharpen(images[i : i + 1])[0], result[i], atol=1e-6)
