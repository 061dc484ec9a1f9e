from __future__ import annotations

import pytest
import torch

from realsr_mtl.archs import RRDBNet, count_parameters
from tests._inputs import photographs
from tests.archs._asserts import (
    assert_all_gradients,
    assert_same_network,
    assert_spandrel_loads,
    basicsr_network,
)

TINY = {"num_feat": 8, "num_block": 2, "num_grow_ch": 4}


def test_parameter_count_and_keys_of_real_esrgan():
    with torch.device("meta"):
        ours = RRDBNet()
        theirs = basicsr_network("rrdbnet_arch", "RRDBNet", num_in_ch=3, num_out_ch=3)
    assert count_parameters(ours) == 16_697_987
    assert ours.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_equals_basicsr(scale):
    theirs = basicsr_network(
        "rrdbnet_arch", "RRDBNet", num_in_ch=3, num_out_ch=3, scale=scale, **TINY
    )
    assert_same_network(RRDBNet(scale=scale, **TINY), theirs, photographs(2, 8, 12))


@pytest.mark.parametrize(("scale", "multiple"), [(1, 4), (2, 2), (4, 1)])
def test_size_and_gradients(scale, multiple):
    network = RRDBNet(scale=scale, **TINY)
    image = photographs(1, 8, 12)
    assert network.limits.multiple == network.limits.smallest == multiple
    assert network(image).shape == (1, 3, 8 * scale, 12 * scale)
    assert_all_gradients(network, image)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_spandrel_loads_it(scale):
    network = RRDBNet(scale=scale, num_feat=8, num_block=2)  # the published growth: spandrel's only
    assert_spandrel_loads(network, photographs(1, 8, 12))


def test_refuses_sizes_it_cannot_unshuffle():
    with pytest.raises(ValueError, match="multiple of 2"):
        RRDBNet(scale=2, **TINY)(torch.zeros(1, 3, 8, 7))


def test_refuses_a_factor_without_layers():
    with pytest.raises(ValueError, match="1, 2 or 4, found 3"):
        RRDBNet(scale=3, **TINY)
