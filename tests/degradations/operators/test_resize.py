from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators import RESIZE_MODES, imresize, resize
from realsr_mtl.degradations.operators.resize import imresize_pixels
from realsr_mtl.degradations.steps import BicubicDownscale
from tests._inputs import photographs
from tests._oracles import basicsr_module

pytestmark = pytest.mark.usefixtures("implementation")
MODULE = sys.modules["realsr_mtl.degradations.operators.resize"]  # hidden by its function
MODES = pytest.mark.parametrize("mode", range(3), ids=RESIZE_MODES)


def _each(batch: int, mode: int) -> list[Tensor]:
    return [torch.full((batch,), mode)]


@MODES
@pytest.mark.parametrize("factor", [0.15, 0.34567, 0.5, 0.77, 0.992, 1.0, 1.23456, 1.5])
@pytest.mark.parametrize("size", [(64, 48), (33, 51)])
def test_factors_as_torch_applies_them(mode, factor, size):
    image = photographs(2, *size)
    expected = F.interpolate(image, scale_factor=factor, mode=RESIZE_MODES[mode])
    result, new = resize(image, *_each(2, mode), factor=torch.full((2,), factor).double())
    assert result.shape == expected.shape and new.tolist() == [list(result.shape[-2:])] * 2
    assert torch.allclose(result, expected, atol=1e-5)
    if factor == 1:
        assert torch.equal(result, image)


@MODES
@pytest.mark.parametrize("size", [(1, 1), (7, 40), (33, 51), (90, 2)])
def test_sizes_as_torch_applies_them(mode, size):
    image = photographs(2, 33, 51)
    expected = F.interpolate(image, size=size, mode=RESIZE_MODES[mode])
    assert torch.allclose(
        resize(image, *_each(2, mode), size=torch.tensor([size, size]))[0], expected, atol=1e-5
    )


@MODES
@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 40)])
def test_no_side_vanishes(mode, size):
    result, _ = resize(photographs(1, *size), *_each(1, mode), factor=torch.tensor([0.15]))
    assert result.shape[-2:] == tuple(max(1, math.floor(n * 0.15)) for n in size)
    assert result.isfinite().all()


@MODES
@pytest.mark.parametrize("factor", [0.15, 0.6, 1.5])
def test_flat_images_stay_flat(mode, factor):
    image = torch.full((1, 3, 21, 34), 0.37)
    assert torch.allclose(
        resize(image, *_each(1, mode), factor=torch.tensor([factor]))[0],
        torch.tensor(0.37),
        atol=1e-6,
    )


def _imresize_line(line: list[float], factor: float) -> list[float]:
    """One line, each output pixel by MATLAB's definition."""

    def cubic(t: float) -> float:
        t = abs(t)
        if t <= 1:
            return 1.5 * t**3 - 2.5 * t**2 + 1
        return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    n, stretch = len(line), min(factor, 1)
    mirror = [*line, *line[::-1]]
    out = []
    for i in range(math.ceil(n * factor)):
        centre = (i + 0.5) / factor - 0.5
        near = range(math.floor(centre - 2 / stretch), math.ceil(centre + 2 / stretch) + 1)
        weights = [cubic((centre - j) * stretch) for j in near]
        total = math.fsum(w * mirror[j % (2 * n)] for w, j in zip(weights, near, strict=True))
        out.append(total / math.fsum(weights))
    return out


def _imresize_reference(image: Tensor, factor: float) -> Tensor:
    rows = [_imresize_line(row, factor) for row in image.double().tolist()]
    columns = [_imresize_line(list(c), factor) for c in zip(*rows, strict=True)]
    return torch.tensor(columns, dtype=torch.float64).T


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (4, 4), (9, 13)])
@pytest.mark.parametrize("factor", [1 / 4, 1 / 3, 0.7, 1, 2, 4])
def test_imresize_equals_the_definition_also_on_tiny_images(size, factor):
    image = photographs(1, *size)
    result = imresize(image, factor)
    for channel in range(3):
        expected = _imresize_reference(image[0, channel], factor)
        assert torch.allclose(result[0, channel].double(), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (37, 51), (21, 33)])
@pytest.mark.parametrize("factor", [1 / 4, 1 / 2, 1 / 3, 0.37, 1.7, 2, 4])
def test_imresize_equals_basicsr(size, factor):
    image = photographs(1, *size)
    expected = basicsr_module("utils.matlab_functions").imresize(image[0].contiguous(), factor)
    assert imresize(image, factor).shape[1:] == expected.shape
    assert torch.allclose(imresize(image, factor)[0], expected, atol=1e-4)


@pytest.mark.parametrize("factor", [1 / 4, 1 / 3, 0.37, 1, 1.7, 4])
def test_long_sides_are_resized_in_blocks_as_short_ones_by_a_matrix(factor, monkeypatch):
    image, size = photographs(1, 40, 300), (40, 300)
    pixels = image[0].permute(1, 2, 0).numpy()
    new = tuple(math.ceil(side * factor) for side in size)
    boxes = [Box.whole(new), Box(1, new[1] // 3, new[0] - 2, new[1] - 7)]

    def results():
        yield imresize(image, factor)
        for wanted in boxes:
            yield torch.from_numpy(
                imresize_pixels(pixels, factor, Box.whole(size), size, wanted).copy()
            )

    expected = list(results())
    monkeypatch.setattr(MODULE, "_LARGEST_MATRIX", 1000)
    monkeypatch.setattr(MODULE, "_BLOCK", 50)
    for whole, result in zip(expected, results(), strict=True):
        torch.testing.assert_close(result, whole, rtol=0, atol=1e-6)


def test_a_part_needs_its_part_only_of_a_long_side(monkeypatch):
    monkeypatch.setattr(MODULE, "_LARGEST_MATRIX", 1000)
    pixels, size = photographs(1, 24, 900)[0].permute(1, 2, 0).numpy(), (24, 900)
    step, wanted = BicubicDownscale(4), Box(0, 100, 6, 180)
    box = step.needs(wanted, size)
    part = step.on_pixels(Box.whole(size).cut(pixels, box), box, size, wanted)
    whole = step.on_pixels(pixels, Box.whole(size), size, wanted)
    np.testing.assert_array_equal(part, whole)


@pytest.mark.parametrize("scale", range(1, 17))
def test_imresize_by_a_whole_number_has_the_exact_size(scale):
    sides = [scale * n for n in (1, 7, 49, 98, 255)]
    for side in sides:
        assert imresize(torch.zeros(1, 1, side, scale), 1 / scale).shape[-2:] == (side // scale, 1)
