from __future__ import annotations

import pytest
import torch
from torch import nn

from realsr_mtl.archs import ARCHS, DISCRIMINATORS, Limits, limits
from realsr_mtl.archs.limits import stated_limits

SMALL = {
    "AirNet": {"num_feat": 4, "num_group": 1, "num_block": 1},
    "MSRResNet": {"num_feat": 4, "num_block": 1},
    "NAFNet": {"width": 4},
    "PromptIR": {"dim": 8, "num_blocks": (1, 1, 1, 1), "num_refinement_blocks": 1},
    "RRDBNet": {"num_feat": 4, "num_block": 1, "scale": 2},
    "SEALAcceptance": {"num_feat": 4},
    "SRVGGNetCompact": {"num_feat": 4, "num_conv": 1},
    "TaskHeads": {
        "trunk": {"type": "RRDBNet", "num_feat": 4, "num_block": 1, "scale": 2},
        "heads": {"sr": {"scale": 2}},
        "features": "body",
    },
    "TransWeather": {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 1, 1)},
    "PatchDiscriminator": {"num_feat": 2},
    "UNetDiscriminatorSN": {"num_feat": 2},
    "VGGStyleDiscriminator": {"num_feat": 1},
}
OWN = [(registry, name) for registry in (ARCHS, DISCRIMINATORS) for name in registry]


def own(registry, name):
    return registry.build({"type": name, **SMALL[name]})


@pytest.mark.parametrize(("registry", "name"), OWN, ids=[name for _, name in OWN])
def test_every_network_of_ours_states_its_limits_and_takes_the_smallest_image(registry, name):
    network = own(registry, name)
    stated = stated_limits(network)
    assert stated == limits(network)
    assert stated.smallest == stated.fit(1)
    network = network.only("sr") if name == "TaskHeads" else network
    with torch.no_grad():
        for side in dict.fromkeys((stated.smallest, stated.smallest + stated.multiple)):
            if name != "VGGStyleDiscriminator" or side == 128:
                assert network.eval()(torch.rand(1, 3, side, side)).isfinite().all()


@pytest.mark.parametrize("name", ["RRDBNet", "TaskHeads", "UNetDiscriminatorSN"])
def test_other_sides_are_refused(name):
    network = own(*next(entry for entry in OWN if entry[1] == name))
    side = limits(network).multiple + 1
    network = network.only("sr") if name == "TaskHeads" else network
    with pytest.raises(ValueError, match="multiple of"):
        network(torch.rand(1, 3, side, side))


@pytest.mark.parametrize("name", [name for name in ARCHS if name != "TaskHeads"])
def test_float16_is_near_float32_where_it_is_said_to_do(name):
    network = own(ARCHS, name).eval()
    if limits(network).fp16:
        image = torch.rand(1, 3, 16, 16)
        with torch.no_grad():
            difference = network(image) - network.half()(image.half())
        assert difference.abs().max() < 1e-2


@pytest.mark.parametrize(
    ("side", "fitting"), [(1, 24), (24, 24), (25, 32), (32, 32), (63, 64), (64, 64)]
)
def test_fit_is_the_next_side(side, fitting):
    assert Limits(multiple=8, smallest=24).fit(side) == fitting


def test_windows_of_layers_count_until_the_network_says_more():
    network = nn.Sequential(nn.Identity(), nn.Linear(2, 2))
    assert limits(nn.Identity()) == Limits()
    assert stated_limits(network) is None
    network[0].window_size, network[1].window_size = 4, 16
    assert limits(network) == Limits(16, 16)
    network[0].window_size = 24
    assert limits(network).multiple == 48
    network[0].window_size = (8, 8)  # not one number: left to a trial
    assert limits(network).multiple == 16
    network.multiple_of = 12
    assert limits(network) == Limits(12, 12)
    network.limits = Limits(2, 6)
    assert limits(network) == Limits(2, 6)
