from __future__ import annotations

import pytest
import torch

from realsr_mtl.archs import PatchDiscriminator, count_parameters
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients

SMALL = {"num_feat": 4}
NORMS = ["batch", "instance", "spectral", "none"]


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({"num_in_ch": 6}, 2_768_705),  # pix2pix prints 2.769 M
        ({"norm": "instance"}, 2_764_737),  # CycleGAN prints 2.765 M
        ({}, 2_765_633),
    ],
)
def test_parameter_counts_of_the_papers(options, weights):
    with torch.device("meta"):
        assert count_parameters(PatchDiscriminator(**options)) == weights


def test_keys_of_pix2pix():
    keys = PatchDiscriminator(**SMALL).state_dict().keys()
    weights = [key for key in keys if key.endswith("weight")]
    assert weights == [f"model.{place}.weight" for place in (0, 2, 3, 5, 6, 8, 9, 11)]
    biases = [key for key in keys if key.endswith("bias")]
    assert biases == [f"model.{place}.bias" for place in (0, 3, 6, 9, 11)]
    spectral = PatchDiscriminator(**SMALL, norm="spectral").state_dict().keys()
    assert {f"model.{place}.weight_u" for place in (0, 2, 4, 6, 8)} <= spectral


@pytest.mark.parametrize(("num_layers", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_one_patch(num_layers, patch):
    network = PatchDiscriminator(**SMALL, num_layers=num_layers, norm="none").double()
    image = torch.rand(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    logits = network(image)
    middle = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], image)
    rows = gradient.abs().amax((0, 1, 3)).nonzero()[:, 0]
    assert len(rows) == rows[-1] - rows[0] + 1 == patch


@pytest.mark.parametrize("norm", NORMS)
def test_shape_and_gradients(norm):
    network = PatchDiscriminator(**SMALL, norm=norm)
    image = photographs(2, 43, 56)
    assert network(image).shape == (2, 1, 43 // 8 - 2, 56 // 8 - 2)
    if norm == "none":
        assert_all_gradients(network, image)


@pytest.mark.parametrize("norm", NORMS)
def test_images_of_a_batch_are_judged_apart_but_for_batch_norm(norm):
    network = PatchDiscriminator(**SMALL, norm=norm)
    image = photographs(2, 32, 32)
    with torch.no_grad():
        for _ in range(200):  # spectral normalisation comes to rest
            both = network(image)
        alone = network(image[:1])
    assert torch.allclose(both[:1], alone, atol=1e-4) == (norm != "batch")


@pytest.mark.parametrize(("num_layers", "smallest"), [(1, 6), (2, 12), (3, 24)])
def test_refuses_images_without_a_patch(num_layers, smallest):
    network = PatchDiscriminator(**SMALL, num_layers=num_layers)
    assert network(torch.rand(2, 3, smallest, smallest)).shape == (2, 1, 1, 1)
    with pytest.raises(ValueError, match=f"must be {smallest} or more"):
        network(torch.rand(2, 3, smallest, smallest - 1))
    with pytest.raises(ValueError, match="num_layers must be at least 1, found 0"):
        PatchDiscriminator(num_layers=0)
