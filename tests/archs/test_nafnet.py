from __future__ import annotations

import pytest
import torch
from spandrel.architectures.NAFNet import NAFNet as Theirs

from realsr_mtl.archs import NAFNet, build_network, count_parameters
from realsr_mtl.errors import OptionError
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients, assert_same_network

SMALL = {"width": 8, "enc_blk_nums": (1, 2), "middle_blk_num": 1, "dec_blk_nums": (2, 1)}
DENOISING = {"enc_blk_nums": (2, 2, 4, 8), "middle_blk_num": 12, "dec_blk_nums": (2, 2, 2, 2)}
DEBLURRING = {"enc_blk_nums": (1, 1, 1, 28), "middle_blk_num": 1, "dec_blk_nums": (1, 1, 1, 1)}


def small(seed=0, **options):
    """With blocks that do something: they start as the identity."""
    torch.manual_seed(seed)
    network = NAFNet(**{**SMALL, **options})
    for name, parameter in network.named_parameters():
        if name.endswith((".beta", ".gamma")):
            torch.nn.init.normal_(parameter)
    return network


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"width": 32, **DENOISING}, 29_159_715),
        ({"width": 64, **DENOISING}, 115_982_915),
        ({"width": 32, **DEBLURRING}, 17_111_907),
        ({"width": 64, **DEBLURRING}, 67_888_835),
    ],
)
def test_parameter_counts_and_keys_of_the_published_networks(options, count):
    with torch.device("meta"):
        ours, theirs = NAFNet(**options), Theirs(**options)
    assert count_parameters(ours) == count
    own, other = ours.state_dict(), theirs.state_dict()
    assert {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in other.items()}


def test_the_default_is_light():
    with torch.device("meta"):
        assert count_parameters(NAFNet()) == 288_691


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"enc_blk_nums": (1, 1, 1), "dec_blk_nums": (1, 1, 1)}, (16, 24)),
        (SMALL, (13, 18)),
        ({"width": 4, "img_channel": 1, "enc_blk_nums": (1,), "dec_blk_nums": (2,)}, (3, 5)),
        ({"width": 4, "enc_blk_nums": (), "middle_blk_num": 2, "dec_blk_nums": ()}, (5, 4)),
    ],
)
def test_equals_spandrel(options, size):
    image = photographs(2, *size)[:, : options.get("img_channel", 3)]
    assert_same_network(NAFNet(**options), Theirs(**options), image)


@pytest.mark.parametrize("size", [(1, 1), (8, 12), (9, 15)])
def test_any_size_and_a_batch_of_one_equals_the_batch(size):
    network = small()
    images = photographs(2, *size)
    with torch.no_grad():
        restored = network(images)
        assert restored.shape == images.shape
        single = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(single, restored, rtol=1e-5, atol=1e-5)


def test_gradients_and_start():
    image = photographs(2, 12, 8)
    assert_all_gradients(small(), image)
    fresh = NAFNet(**SMALL)
    features = torch.randn(1, 8, 4, 4)
    assert torch.equal(fresh.encoders[0](features), features)
    torch.nn.init.zeros_(fresh.ending.weight)
    torch.nn.init.zeros_(fresh.ending.bias)
    assert torch.equal(fresh(image), image)


def test_state_goes_round():
    network, other = small(0), small(1)
    image = photographs(1, 8, 8)
    assert not torch.equal(network(image), other(image))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(image), other(image))


def test_refuses_encoder_and_decoder_of_unequal_depth():
    with pytest.raises(ValueError, match="equally many levels, found 2 and 3"):
        NAFNet(enc_blk_nums=(1, 1), dec_blk_nums=(1, 1, 1))


def test_is_built_for_scale_one_only():
    block = {"type": "NAFNet", **SMALL, "enc_blk_nums": [1, 2]}
    assert isinstance(build_network(block, 1, seed=0), NAFNet)
    with pytest.raises(OptionError, match="NAFNet gives x1 but scale is 2"):
        build_network(block, 2, seed=0)
