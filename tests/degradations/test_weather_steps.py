from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators.canvas import on_canvas, samples, to_image, to_pixels
from realsr_mtl.degradations.steps import Step
from realsr_mtl.degradations.weather_steps import (
    Colour,
    Haze,
    LowLight,
    Rain,
    Raindrops,
    Snow,
    Truncate,
)
from tests._inputs import photographs

SIZE = (90, 77)
STEPS: dict[str, Step] = {
    "rain": Rain(3, 0.01, 15, 0.4, 1.5, 0.5),
    "short rain": Rain(3, 0.01, 1, -1.2, 1, 0.5),
    "haze": Haze(4, 1.5, 0.9),
    "snow": Snow(5, 0.003, 6, 0.2, 0.9),
    "raindrops": Raindrops(6, 8, 11),
    "low light": LowLight(0.3, 1.3),
    "colour": Colour(0.8, 1.2, 1.3, 0.6),
    "truncate": Truncate(),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_part_of_the_result_needs_no_more_than_the_step_says(name: str):
    step = STEPS[name]
    pixels = to_pixels(photographs(1, *SIZE)[0])
    whole = step.on_pixels(pixels, Box.whole(SIZE), SIZE, Box.whole(SIZE))
    assert whole.shape == (*SIZE, 3) and whole.dtype == np.float32
    assert step.new_size(SIZE) == SIZE and np.isfinite(whole).all()
    if name != "truncate":
        assert np.abs(whole - pixels).mean() > 0.002
    rng = np.random.default_rng(0)
    boxes = [Box(0, 0, 1, 1), Box(89, 76, 90, 77)]
    for _ in range(12):
        (top, bottom), (left, right) = (np.sort(rng.integers(0, n + 1, 2)) for n in SIZE)
        if top < bottom and left < right:
            boxes.append(Box(int(top), int(left), int(bottom), int(right)))
    for wanted in boxes:
        box = step.needs(wanted, SIZE)
        part = step.on_pixels(Box.whole(SIZE).cut(pixels, box), box, SIZE, wanted)
        expected = Box.whole(SIZE).cut(whole, wanted)
        assert part.shape == expected.shape
        assert np.abs(part - expected).max() <= 1e-6, wanted


@pytest.mark.parametrize("name", STEPS)
def test_samples_of_several_sizes_on_a_canvas_get_the_same_pixels(name: str):
    step = STEPS[name]
    images = [photographs(1, 40, 52)[0], photographs(1, 64, 48, seed=3)[0]]
    canvas, sizes = on_canvas(images)
    result, new = type(step).on_canvas([step, step], canvas, sizes)
    assert torch.equal(new, sizes)
    for image, part in zip(images, samples(result, new), strict=True):
        size = (image.shape[1], image.shape[2])
        box = Box.whole(size)
        assert torch.equal(part, to_image(step.on_pixels(to_pixels(image), box, size, box)))


def test_low_light_is_a_power_and_a_factor():
    pixels = np.array([[[0.25, 1.0, 1.3]]], np.float32)
    box = Box.whole((1, 1))
    dark = LowLight(0.5, 2).on_pixels(pixels, box, (1, 1), box)
    assert dark[0, 0].tolist() == pytest.approx([0.03125, 0.5, 0.5])


def test_truncating_rounds_down_and_keeps_whole_levels():
    levels = np.arange(256, dtype=np.float32)[None, :, None]
    box = Box.whole((1, 256))
    for shift in (0.0, 0.5, 0.99):
        result = Truncate().on_pixels((levels + shift) / 255, box, (1, 256), box)
        assert np.array_equal((result * 255).round(), levels)
