from __future__ import annotations

import pytest
import torch
from torch import Tensor

from realsr_mtl.errors import UserError
from realsr_mtl.losses import L1Loss, artefact_map
from tests._inputs import photographs
from tests._oracles import basicsr_module


@pytest.fixture
def images() -> list[Tensor]:
    """The target, an output near it and one of averaged weights."""
    gt = photographs(3, 20, 24)
    generator = torch.Generator().manual_seed(0)
    noise = [0.1 * torch.randn(gt.shape, generator=generator) for _ in range(2)]
    return [gt, gt + noise[0], gt + noise[1]]


@pytest.mark.parametrize("ksize", [3, 7])
def test_it_is_basicsrs_map(images, ksize: int):
    expected = basicsr_module("losses.loss_util").get_refined_artifact_map(*images, ksize)
    found = artefact_map(*images, ksize)
    assert found.shape == (3, 1, 20, 24)
    torch.testing.assert_close(found, expected)
    assert 0.3 < (found == 0).float().mean() < 0.7


def test_a_batch_is_its_samples(images):
    singly = [artefact_map(*(image[None] for image in one)) for one in zip(*images, strict=True)]
    torch.testing.assert_close(artefact_map(*images), torch.cat(singly))


def test_only_where_the_averaged_network_was_nearer(images):
    gt, near, far = images[0], images[1], images[0] + 5
    assert not artefact_map(gt, near, far).any()
    assert (artefact_map(gt, near, gt) > 0).all()


def test_a_constant_error_is_no_artefact(images):
    gt = torch.zeros(1, 3, 9, 9)
    assert not artefact_map(gt, gt + 0.25, gt).any()


def test_the_map_is_a_weight_without_gradient(images):
    gt, output, average = images
    output.requires_grad_()
    weight = artefact_map(gt, output, average)
    assert not weight.requires_grad
    L1Loss()(weight * output, weight * gt).sum().backward()
    expected = weight * (output - gt).sign() / output[0].numel()
    torch.testing.assert_close(output.grad, expected.detach())


def test_half_precision_is_computed_in_float32(images):
    halves = [image.half() for image in images]
    found = artefact_map(*halves)
    torch.testing.assert_close(found, artefact_map(*(h.float() for h in halves)), rtol=0, atol=0)


def test_small_images(images):
    small = [image[..., :3] for image in images]
    with pytest.raises(UserError, match=r"more than 3 pixels in each direction, found \(20, 3\)"):
        artefact_map(*small)
    assert artefact_map(*small, ksize=5).shape == (3, 1, 20, 3)
