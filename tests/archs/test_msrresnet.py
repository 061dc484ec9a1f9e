from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.archs import MSRResNet, count_parameters
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients, assert_same_network, basicsr_network


def test_parameter_count_of_the_usual_setting():
    assert count_parameters(MSRResNet()) == 1_517_571


@pytest.mark.parametrize(
    "options",
    [
        {"num_feat": 64, "num_block": 1, "upscale": 4},
        {"num_feat": 8, "num_block": 3, "upscale": 3},
        {"num_feat": 8, "num_block": 2, "upscale": 2},
        {"num_feat": 4, "num_block": 1, "num_in_ch": 1, "num_out_ch": 1},
    ],
)
def test_equals_basicsr(options):
    image = photographs(2, 9, 12)[:, : options.get("num_in_ch", 3)]
    theirs = basicsr_network("srresnet_arch", "MSRResNet", **options)
    assert_same_network(MSRResNet(**options), theirs, image)


@pytest.mark.parametrize("upscale", [1, 2, 3, 4])
def test_size_gradients_and_start(upscale):
    network = MSRResNet(num_feat=8, num_block=1, upscale=upscale)
    image = photographs(1, 6, 10)
    assert network(image).shape == (1, 3, 6 * upscale, 10 * upscale)
    assert_all_gradients(network, image)
    torch.nn.init.zeros_(network.conv_last.weight)
    bilinear = F.interpolate(image, scale_factor=upscale, mode="bilinear")
    torch.testing.assert_close(network(image), bilinear)


def test_refuses_a_factor_without_layers():
    with pytest.raises(ValueError, match="1, 2, 3 or 4, found 8"):
        MSRResNet(upscale=8)
