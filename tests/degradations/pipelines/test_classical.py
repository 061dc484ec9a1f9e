from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import RandomStreams, degrade
from realsr_mtl.degradations.operators import imresize
from realsr_mtl.degradations.samplers import Classical
from tests._asserts import assert_eight_bit
from tests._inputs import photographs


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(12, 12), (60, 36)])
def test_lq_is_bicubic_rounded_to_eight_bits(scale, size):
    images = photographs(3, *size)
    lq = degrade(images, Classical(scale).sample(torch.arange(3), RandomStreams(0)))
    assert lq.shape == (3, 3, size[0] // scale, size[1] // scale)
    assert_eight_bit(lq)
    assert (lq - imresize(images, 1 / scale).clamp(0, 1)).abs().max() < 0.501 / 255
    for i in range(3):
        record = Classical(scale).sample(torch.tensor([i]), RandomStreams(1))
        assert torch.equal(degrade(images[i : i + 1], record)[0], lq[i])
