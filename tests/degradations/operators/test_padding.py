from __future__ import annotations

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.operators.padding import reflect_pad


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 3), (5, 7)])
@pytest.mark.parametrize("pad", [0, 1, 4, 25])
@pytest.mark.parametrize(("edge", "mode"), [(False, "reflect"), (True, "symmetric")])
def test_borders_are_those_of_numpy_at_any_width(size, pad, edge, mode):
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode=mode)
    assert np.array_equal(reflect_pad(image, pad, edge).numpy(), expected)
