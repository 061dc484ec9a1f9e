from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.degradations.operators.canvas import to_pixels
from realsr_mtl.degradations.operators.colour import colour_pixels
from tests._inputs import photographs


def _pixel(*values: float) -> np.ndarray:
    return np.array([[values]], np.float32)


def test_a_cast_is_power_then_gains_then_the_distance_from_the_luma():
    # roots 0.5, 0.6, 0.9; with gains 0.4, 0.6, 0.99; luma 0.1196 + 0.3522 + 0.11286 = 0.58466
    x = _pixel(0.25, 0.36, 0.81)
    assert colour_pixels(x, 0.8, 1.1, 0.5, 1)[0, 0] == pytest.approx([0.4, 0.6, 0.99])
    assert colour_pixels(x, 0.8, 1.1, 0.5, 0)[0, 0] == pytest.approx([0.58466] * 3)
    half = colour_pixels(x, 0.8, 1.1, 0.5, 0.5)
    assert half[0, 0] == pytest.approx([0.49233, 0.59233, 0.78733])
    assert half.dtype == np.float32 and x[0, 0] == pytest.approx([0.25, 0.36, 0.81])


def test_the_image_is_clipped_before_and_the_cast_after():
    assert colour_pixels(_pixel(-0.5, 1.5, 1), 0.5, 0.5, 2, 1)[0, 0].tolist() == [0, 1, 0.5]
    assert colour_pixels(_pixel(0.9, 0.5, 0.9), 1.3, 1, 1, 1)[0, 0] == pytest.approx([1, 0.5, 0.9])
    # luma 0.299 + 0.3522 = 0.6512; away from it, twice as far
    away = colour_pixels(_pixel(1, 0.6, 0), 1, 1, 1, 2)[0, 0]
    assert away == pytest.approx([1, 0.5488, 0])


def test_neutral_parameters_change_nothing():
    pixels = to_pixels(photographs(1, 30, 20)[0])
    assert colour_pixels(pixels, 1, 1, 1, 1) == pytest.approx(pixels, abs=1e-6)


def test_a_pixel_does_not_depend_on_the_others():
    pixels = to_pixels(photographs(1, 30, 21)[0])
    whole = colour_pixels(pixels, 0.8, 1.2, 1.3, 0.6)
    part = colour_pixels(np.ascontiguousarray(pixels[4:9, 3:20]), 0.8, 1.2, 1.3, 0.6)
    assert np.abs(part - whole[4:9, 3:20]).max() <= 1e-6
