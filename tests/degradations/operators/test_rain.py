from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators.rain import layer, rain_pixels, specks
from realsr_mtl.degradations.operators.streaks import streak_kernel

SIZE = (300, 400)
WHOLE = Box.whole(SIZE)


def test_specks_are_as_many_as_the_density_says():
    points = specks(3, WHOLE, SIZE[1], 0.01)
    assert points.shape == (*SIZE, 1)
    assert (points > 0).mean() == pytest.approx(0.01, abs=0.001)
    bright = points[points > 0]
    assert bright.min() >= 0.4 and bright.max() <= 1
    assert bright.mean() == pytest.approx(0.7, abs=0.02)
    assert not np.array_equal(points, specks(4, WHOLE, SIZE[1], 0.01))


def test_a_speck_becomes_a_streak_of_its_brightness():
    kernel = streak_kernel(21, 0.3, 2)
    points = specks(3, WHOLE, SIZE[1], 0.0001)
    streaks = layer(3, kernel, 0.0001, WHOLE, SIZE, WHOLE)
    for y, x in np.argwhere(points[..., 0] > 0)[:5]:
        assert streaks[y, x, 0] >= points[y, x, 0] * 0.99
    assert streaks.min() >= 0 and streaks.max() <= 1
    assert layer(3, kernel, 0.05, WHOLE, SIZE, WHOLE).max() == 1  # overlaps do not add up


def test_streaks_add_light_up_to_white():
    pixels = np.full((2, 2, 3), 0.75, np.float32)
    streaks = np.array([[[0.0], [0.2]], [[0.5], [1.0]]], np.float32)
    assert rain_pixels(pixels, streaks, 0.5)[..., 0].tolist() == pytest.approx(
        np.array([[0.75, 0.85], [1.0, 1.0]])
    )
