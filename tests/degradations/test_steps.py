from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.operators import KERNEL_TYPES, blur_kernels
from realsr_mtl.degradations.operators.canvas import to_pixels
from realsr_mtl.degradations.steps import (
    BicubicDownscale,
    Blur,
    Clamp,
    GaussianNoise,
    Jpeg,
    PoissonNoise,
    Resize,
    Step,
    Subsample,
)
from tests._inputs import photographs

SIZE = (90, 77)


def _kernel(kind: str, side: int) -> np.ndarray:
    values = torch.tensor([[KERNEL_TYPES.index(kind), side, 1.7, 0.9, 0.6, 0.8, 1.9]]).double().T
    middle = slice(10 - side // 2, 11 + side // 2)
    return blur_kernels(*values)[0, middle, middle].numpy()


STEPS: dict[str, Step] = {
    "product": Blur(_kernel("iso", 9)),
    "direct": Blur(_kernel("aniso", 7)),
    "transform": Blur(_kernel("sinc", 21)),
    **{
        f"factor {factor} {mode}": Resize(mode, factor=factor)
        for factor in (0.15, 0.37, 0.8, 1.0, 1.43)
        for mode in range(3)
    },
    **{
        f"size {size} {mode}": Resize(mode, size=size)
        for size in ((1, 1), (9, 40), (120, 31), SIZE)
        for mode in range(3)
    },
    "bicubic": BicubicDownscale(4),
    "bicubic 1": BicubicDownscale(1),
    "s-fold": Subsample(3),
    "clamp": Clamp(),
    "grey": GaussianNoise(20, True, 3),
    "mixed": GaussianNoise(20, False, 3, np.diag([1, 0.5, 0]).astype(np.float32)),
    "jpeg": Jpeg(40),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_part_of_the_result_needs_no_more_than_the_step_says(name):
    """What lies outside the needed part is not even there, and the result is the same."""
    step = STEPS[name]
    pixels = to_pixels(photographs(1, *SIZE)[0] * 1.2 - 0.1)
    new = step.new_size(SIZE)
    whole = step.on_pixels(pixels, Box.whole(SIZE), SIZE, Box.whole(new))
    assert whole.shape == (*new, 3)
    rng = np.random.default_rng(0)
    boxes = [Box.whole(new), Box(0, 0, 1, 1), Box(new[0] - 1, new[1] - 1, *new)]
    for _ in range(12):
        (top, bottom), (left, right) = (np.sort(rng.integers(0, n + 1, 2)) for n in new)
        if top < bottom and left < right:
            boxes.append(Box(int(top), int(left), int(bottom), int(right)))
    for wanted in boxes:
        box = step.needs(wanted, SIZE)
        given = Box.whole(SIZE).cut(pixels, box)
        part = step.on_pixels(given, box, SIZE, wanted)
        expected = Box.whole(new).cut(whole, wanted)
        assert part.shape == expected.shape
        tolerance = 2e-6 if name == "transform" else 1e-6
        assert np.abs(part - expected).max() <= tolerance, (wanted, box)


def test_poisson_noise_counts_the_levels_of_the_part():
    pixels = np.full((40, 40, 3), 200 / 255, np.float32)
    pixels[:20] = np.linspace(0, 1, 20, dtype=np.float32)[:, None, None]
    step, part = PoissonNoise(0.2, False, 5), Box(20, 0, 40, 40)
    whole = step.on_pixels(pixels, Box.whole((40, 40)), (40, 40), Box.whole((40, 40)))
    own = step.on_pixels(pixels[20:], part, (40, 40), part)
    assert whole[20:].std() < own.std()  # 20 levels make 32 photons of white, one level one


def test_narrow_parts_at_the_right_edge_are_compressed_as_the_whole():
    for width in (19, 20, 35, 36, 100):
        pixels, size = to_pixels(photographs(1, 20, width)[0]), (20, width)
        whole = Jpeg(40).on_pixels(pixels, Box.whole(size), size, Box.whole(size))
        for wanted in (Box(0, width - 1, 1, width), Box(18, width - 2, 20, width)):
            box = Jpeg(40).needs(wanted, size)
            part = Jpeg(40).on_pixels(Box.whole(size).cut(pixels, box), box, size, wanted)
            assert np.array_equal(part, Box.whole(size).cut(whole, wanted))
