from __future__ import annotations

import pytest
import torch
from torch import nn

from realsr_mtl.archs.layers import check_multiple, conv3x3, scale_weights


def test_scaled_weights_are_kaiming_normal_times_the_factor():
    torch.manual_seed(0)
    convolution = conv3x3(64, 64)
    scale_weights(convolution, nn.Conv2d(3, 3, 1, bias=False), factor=0.5)
    expected = 0.5 * (2 / (64 * 9)) ** 0.5
    assert convolution.weight.std().item() == pytest.approx(expected, rel=0.02)
    assert convolution.bias is not None
    assert not convolution.bias.any()


def test_conv3x3_keeps_the_size():
    assert conv3x3(3, 5)(torch.zeros(1, 3, 7, 4)).shape == (1, 5, 7, 4)


@pytest.mark.parametrize(("size", "fits"), [((8, 12), True), ((8, 10), False), ((9, 8), False)])
def test_check_multiple_looks_at_both_sides(size, fits):
    image = torch.zeros(1, 3, *size)
    if fits:
        check_multiple(image, 4)
    else:
        with pytest.raises(ValueError, match=rf"\({size[0]}, {size[1]}\) must be a multiple of 4"):
            check_multiple(image, 4)
