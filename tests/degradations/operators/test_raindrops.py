from __future__ import annotations

import numpy as np
import pytest

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators.canvas import to_pixels
from realsr_mtl.degradations.operators.raindrops import Drop, drops, raindrop_pixels
from tests._inputs import photographs

SIZE = (90, 110)
WHOLE = Box.whole(SIZE)


def test_there_are_as_many_drops_as_the_density_says():
    found = drops(5, (300, 400), 4, 12)
    assert len(found) == 48
    assert all(0 <= d.y < 300 and 0 <= d.x < 400 and 4 <= d.radius <= 12 for d in found)
    assert np.mean([d.radius for d in found]) < 8
    assert len(drops(5, (20, 20), 2, 12)) == 1
    assert drops(5, (300, 400), 4, 12) == found != drops(6, (300, 400), 4, 12)


def test_a_drop_turns_what_lies_behind_it_and_leaves_the_rest():
    pixels = to_pixels(photographs(1, *SIZE)[0])
    pixels[:, :55] *= 0.2  # dark on the left
    drop = Drop(45, 55, 14)
    result = raindrop_pixels(pixels, WHOLE, WHOLE, [drop])
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    outside = np.hypot((y - 45) / 1.2, x - 55) > 14
    assert np.array_equal(result[outside], pixels[outside])
    assert result[45, 45:51].mean() > pixels[45, 45:51].mean() + 0.1  # now bright on the left
    assert result[45, 60:66].mean() < pixels[45, 60:66].mean() - 0.1
    assert result.min() >= 0 and result.max() <= 1
    assert pixels is not result


@pytest.mark.parametrize("middle", [(-3, 4), (89, 109), (200, 200)])
def test_drops_at_the_edges_and_beyond(middle: tuple[int, int]):
    pixels = to_pixels(photographs(1, *SIZE)[0])
    result = raindrop_pixels(pixels, WHOLE, WHOLE, [Drop(*middle, 10)])
    assert result.shape == pixels.shape and np.isfinite(result).all()
    assert np.array_equal(result, pixels) == (middle == (200, 200))
