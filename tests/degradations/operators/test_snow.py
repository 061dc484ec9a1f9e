from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.degradations.operators.snow import snow_pixels


def test_flakes_cover_the_veiled_image():
    pixels = np.full((1, 3, 3), 0.4, np.float32)
    flakes = np.array([[[0.0], [0.5], [1.0]]], np.float32)
    veiled = 0.4 + 0.05 * 0.57
    expected = [veiled, veiled + 0.4 * (0.97 - veiled), veiled + 0.8 * (0.97 - veiled)]
    assert snow_pixels(pixels, flakes, 0.8)[0, :, 1] == pytest.approx(np.array(expected), abs=1e-6)
