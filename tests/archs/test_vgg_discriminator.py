from __future__ import annotations

import pytest
import torch

from realsr_mtl.archs import VGGStyleDiscriminator, count_parameters
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients, assert_same_network, basicsr_network


@pytest.mark.parametrize(("input_size", "weights"), [(128, 14_499_401), (256, 21_055_049)])
def test_parameter_count_and_keys_of_basicsr(input_size, weights):
    options = {"num_in_ch": 3, "num_feat": 64, "input_size": input_size}
    with torch.device("meta"):
        ours = VGGStyleDiscriminator(input_size=input_size)
        theirs = basicsr_network("discriminator_arch", "VGGStyleDiscriminator", **options)
    assert count_parameters(ours) == weights
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize("input_size", [128, 256])
def test_equals_basicsr(input_size):
    options = {"num_feat": 8, "input_size": input_size}
    theirs = basicsr_network("discriminator_arch", "VGGStyleDiscriminator", num_in_ch=3, **options)
    ours = VGGStyleDiscriminator(**options)
    image = photographs(2, input_size, input_size).contiguous()  # theirs takes no other
    assert_same_network(ours, theirs, image)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(image), theirs.eval()(image), rtol=1e-5, atol=1e-5)


def test_a_logit_for_every_image_and_all_gradients():
    network = VGGStyleDiscriminator(num_feat=4)
    image = photographs(3, 128, 128)
    assert network(image).shape == (3, 1)
    assert_all_gradients(network, image)


@pytest.mark.parametrize("size", [(64, 64), (128, 64), (256, 256)])
def test_refuses_other_sizes(size):
    with pytest.raises(ValueError, match=rf"\({size[0]}, {size[1]}\) must be input_size"):
        VGGStyleDiscriminator(num_feat=2)(torch.zeros(1, 3, *size))
