from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators.haze import depth, haze_pixels

SIZE = (120, 160)


@pytest.mark.parametrize("seed", range(5))
def test_the_depth_is_far_at_the_top_smooth_and_positive(seed: int):
    whole = depth(seed, SIZE, Box.whole(SIZE))
    assert whole.shape == (*SIZE, 1) and whole.min() >= 0.1 and whole.max() <= 1.5
    assert whole[:20].mean() > whole[-20:].mean() + 0.3
    assert np.abs(np.diff(whole, axis=0)).max() < 0.05
    part = Box(30, 40, 70, 55)
    assert np.array_equal(depth(seed, SIZE, part), whole[30:70, 40:55])
    assert not np.array_equal(whole, depth(seed + 1, SIZE, Box.whole(SIZE)))


def test_scattering_is_koschmieders_law():
    pixels = np.array([[[0.2, 0.5, 0.8]]], np.float32)
    distance = np.full((1, 1, 1), 0.7, np.float32)
    t = np.exp(-1.4 * 0.7)
    expected = pixels * t + 0.9 * (1 - t)
    assert haze_pixels(pixels, distance, 1.4, 0.9) == pytest.approx(expected)
    assert haze_pixels(pixels, distance, 0, 0.9) == pytest.approx(pixels)
