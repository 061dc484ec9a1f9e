from __future__ import annotations

import pytest
import torch

from realsr_mtl.degradations import degrade
from tests._inputs import photographs
from tests.degradations._records import draws


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 3, 8, 8), "3 images but 2 degradation records"),
        (torch.zeros(2, 3, 8, 10), r"HR size \(8, 10\) is no multiple of x4"),
        (torch.zeros(2, 3, 2, 8), r"HR size \(2, 8\) is no multiple of x4"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        degrade(images, draws().select([0, 1]))


def test_images_carry_no_gradient_and_are_not_changed():
    images = photographs(2, 16, 16).requires_grad_()
    before = images.detach().clone()
    lq = degrade(images, draws().select([0, 1]))
    assert not lq.requires_grad and torch.equal(images, before)
    assert torch.equal(degrade(images.double(), draws().select([0, 1])), lq)
