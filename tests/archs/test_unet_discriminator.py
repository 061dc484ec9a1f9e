from __future__ import annotations

import copy

import pytest
import torch

from realsr_mtl.archs import UNetDiscriminatorSN, count_parameters
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients, assert_same_network, basicsr_network

SMALL = {"num_feat": 16}


def test_parameter_count_and_keys_of_real_esrgan():
    with torch.device("meta"):
        ours = UNetDiscriminatorSN()
        theirs = basicsr_network("discriminator_arch", "UNetDiscriminatorSN", num_in_ch=3)
    assert count_parameters(ours) == count_parameters(theirs) == 4_376_897
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert {"conv1.weight_orig", "conv1.weight_u", "conv1.weight_v"} <= ours.state_dict().keys()


@pytest.mark.parametrize("skip_connection", [True, False])
def test_equals_basicsr(skip_connection):
    options = {**SMALL, "skip_connection": skip_connection}
    theirs = basicsr_network("discriminator_arch", "UNetDiscriminatorSN", num_in_ch=3, **options)
    ours = UNetDiscriminatorSN(**options)
    image = photographs(2, 16, 24)
    assert_same_network(ours, theirs, image)  # in training mode: both have moved on by a step
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(value, theirs.state_dict()[key], rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(image), theirs.eval()(image), rtol=1e-5, atol=1e-5)


def test_a_logit_for_every_pixel_and_all_gradients():
    network = UNetDiscriminatorSN(**SMALL)
    image = photographs(2, 24, 16)
    assert network(image).shape == (2, 1, 24, 16)
    assert_all_gradients(network, image)


def test_without_skip_connections_any_size_does():
    network = UNetDiscriminatorSN(**SMALL, skip_connection=False)
    assert network(photographs(1, 17, 25)).shape == (1, 1, 16, 24)
    with pytest.raises(ValueError, match="multiple of 8"):
        UNetDiscriminatorSN(**SMALL)(photographs(1, 17, 25))


def test_the_state_dict_goes_on_where_training_stopped():
    network, image = UNetDiscriminatorSN(**SMALL), photographs(1, 16, 16)
    with torch.no_grad():
        before = copy.deepcopy(network.state_dict())
        first = network(image)
        assert not torch.equal(network.state_dict()["conv3.weight_u"], before["conv3.weight_u"])
        again = UNetDiscriminatorSN(**SMALL)
        again.load_state_dict(network.state_dict())
        second = network(image)
        assert torch.equal(again(image), second)
        assert not torch.equal(first, second)
        assert torch.equal(network.eval()(image), network(image))


def test_singular_values_become_one():
    network = UNetDiscriminatorSN(**SMALL)
    with torch.no_grad():
        for _ in range(200):
            network(photographs(1, 8, 8))
    for name in ("conv1", "conv5", "conv8"):
        weight = network.get_submodule(name).weight.flatten(1)
        assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.02)
