from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.archs import SRVGGNetCompact
from tests._inputs import photographs
from tests.archs._asserts import (
    assert_all_gradients,
    assert_same_network,
    assert_spandrel_loads,
    basicsr_network,
)


@pytest.mark.parametrize(
    "options",
    [
        {"num_feat": 12, "num_conv": 2, "upscale": 4, "act_type": "prelu"},
        {"num_feat": 12, "num_conv": 1, "upscale": 3, "act_type": "relu"},
        {"num_feat": 12, "num_conv": 3, "upscale": 2, "act_type": "leakyrelu"},
        {"num_feat": 4, "num_conv": 0, "upscale": 1, "act_type": "prelu"},
    ],
)
def test_equals_basicsr(options):
    theirs = basicsr_network("srvgg_arch", "SRVGGNetCompact", **options)
    assert_same_network(SRVGGNetCompact(**options), theirs, photographs(2, 7, 9))


@pytest.mark.parametrize("upscale", [1, 2, 3, 4])
def test_size_gradients_and_start(upscale):
    network = SRVGGNetCompact(num_feat=16, num_conv=1, upscale=upscale)
    image = photographs(1, 6, 10)
    assert network(image).shape == (1, 3, 6 * upscale, 10 * upscale)
    assert_all_gradients(network, image)
    last = network.body[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    torch.testing.assert_close(network(image), F.interpolate(image, scale_factor=upscale))


@pytest.mark.parametrize("upscale", [1, 2, 4])
def test_spandrel_loads_it(upscale):
    network = SRVGGNetCompact(num_feat=16, num_conv=2, upscale=upscale)
    assert_spandrel_loads(network, photographs(1, 7, 9))
