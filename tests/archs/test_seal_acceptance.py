from __future__ import annotations

import pytest
import torch

from realsr_mtl.archs import SEALAcceptance, build_network, count_parameters
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients

KEYS = ["conv_first", "body.0", "body.2", "body.4", "upconv1", "upconv2", "conv_hr", "conv_last"]


def test_parameter_count_and_keys_are_those_of_the_paper():
    network = SEALAcceptance()
    assert count_parameters(network) == 446_659
    assert {name.rpartition(".")[0] for name in network.state_dict()} == set(KEYS)


@pytest.mark.parametrize("upscale", [1, 2, 3, 4])
def test_size_and_gradients(upscale):
    network = SEALAcceptance(num_feat=8, upscale=upscale)
    image = photographs(1, 6, 10)
    assert network(image).shape == (1, 3, 6 * upscale, 10 * upscale)
    assert_all_gradients(network, image)


def test_nothing_is_added_to_an_upscaled_input():
    network = SEALAcceptance(num_feat=8)
    torch.nn.init.zeros_(network.conv_last.weight)
    assert network(photographs(1, 6, 6)).abs().max() == 0


def test_is_built_by_name_and_refuses_a_factor_without_layers():
    network = build_network({"type": "SEALAcceptance", "num_feat": 4}, scale=4, seed=0)
    assert isinstance(network, SEALAcceptance)
    with pytest.raises(ValueError, match="1, 2, 3 or 4, found 8"):
        SEALAcceptance(upscale=8)
