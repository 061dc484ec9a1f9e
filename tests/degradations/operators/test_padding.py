from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.operators.padding import reflect_pad, repeat_edges

SIZES = torch.tensor([[1, 1], [1, 4], [2, 3], [5, 7]])


def _canvas() -> torch.Tensor:
    return torch.rand(4, 3, 5, 7, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", SIZES.tolist())
@pytest.mark.parametrize("pad", [0, 1, 4, 25])
def test_borders_are_those_of_numpy_at_any_width(size, pad):
    image = _canvas()[:2, :, : size[0], : size[1]]
    border = ((0, 0), (0, 0), (pad, pad), (pad, pad))
    expected = np.pad(image.numpy(), border, mode="reflect")
    assert np.array_equal(reflect_pad(image, pad).numpy(), expected)


@pytest.mark.parametrize("pad", [0, 1, 4, 25])
def test_every_sample_of_a_canvas_is_reflected_about_its_own_edges(pad):
    image = _canvas()
    padded = reflect_pad(image, pad, SIZES)
    for sample, result, (height, width) in zip(image, padded, SIZES.tolist(), strict=True):
        expected = reflect_pad(sample[None, :, :height, :width], pad)[0]
        assert torch.equal(result[:, : height + 2 * pad, : width + 2 * pad], expected)


def test_edges_are_repeated_over_the_rest_of_the_canvas():
    image = _canvas()
    filled = repeat_edges(image, SIZES)
    for sample, result, (height, width) in zip(image, filled, SIZES.tolist(), strict=True):
        rest = ((0, 0), (0, 5 - height), (0, 7 - width))
        expected = np.pad(sample[:, :height, :width].numpy(), rest, mode="edge")
        assert np.array_equal(result.numpy(), expected)
