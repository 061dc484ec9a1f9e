from __future__ import annotations

import numpy as np

from realsr_mtl.degradations.boxes import Box


def test_boxes_grow_and_align_within_the_image():
    box = Box(3, 5, 20, 18)
    assert box.size == (17, 13)
    assert box.grown(4, (100, 100)) == Box(0, 1, 24, 22)
    assert box.grown(4, (21, 20)) == Box(0, 1, 21, 20)
    assert box.aligned(16, (100, 100)) == Box(0, 0, 32, 32)
    assert box.aligned(16, (25, 100)) == Box(0, 0, 25, 32)
    assert Box(17, 16, 18, 33).aligned(16, (64, 64)) == Box(16, 16, 32, 48)
    assert box.times(4) == Box(12, 20, 80, 72)
    assert box.union(Box(0, 8, 4, 30)) == Box(0, 5, 20, 30)
    assert Box.whole((7, 9)) == Box(0, 0, 7, 9)


def test_cut_takes_coordinates_of_the_image():
    pixels = np.arange(6 * 8 * 3, dtype=np.float32).reshape(6, 8, 3)
    box = Box(10, 20, 16, 28)
    inner = box.cut(pixels, Box(12, 21, 15, 27))
    assert np.array_equal(inner, pixels[2:5, 1:7]) and inner.flags["C_CONTIGUOUS"]
    assert box.cut(pixels, box) is pixels
