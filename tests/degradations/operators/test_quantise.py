from __future__ import annotations

import numpy as np
import torch

from realsr_mtl.degradations.operators import quantise
from realsr_mtl.degradations.operators.quantise import from_bytes, to_bytes, to_levels
from tests._asserts import assert_eight_bit


def test_values_are_clamped_and_rounded_halves_to_even():
    image = torch.tensor([-0.3, 0.0, 0.5 / 255, 1.5 / 255, 2.5 / 255, 1.0, 7.0])
    assert to_levels(image).tolist() == [0, 0, 0, 2, 2, 255, 255]
    assert_eight_bit(quantise(image))


def test_arrays_round_as_tensors_do():
    image = torch.rand(100_000, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2
    image[:511] = torch.arange(511) / 510  # levels and the halves between them
    levels = to_bytes(image.numpy())
    assert np.array_equal(levels, to_levels(image).numpy().astype(np.uint8))
    assert np.array_equal(from_bytes(levels), quantise(image).numpy())
