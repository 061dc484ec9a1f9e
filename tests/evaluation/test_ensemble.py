from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.evaluation.ensemble import self_ensemble
from tests._inputs import photographs

IMAGE = photographs(2, 12, 17)


def test_a_network_without_a_direction_is_left_as_it_is() -> None:
    def run(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=3)

    torch.testing.assert_close(self_ensemble(run, IMAGE), run(IMAGE))


def test_every_way_to_lay_the_image_is_tried_once() -> None:
    seen: list[Tensor] = []
    self_ensemble(lambda x: seen.append(x.clone()) or x, IMAGE)
    assert len(seen) == 8
    assert {tuple(x.shape[-2:]) for x in seen} == {(12, 17), (17, 12)}
    assert len({tuple(x.flatten().tolist()) for x in seen}) == 8


def test_the_result_has_no_direction() -> None:
    kernel = torch.rand(3, 3, 3, 3, generator=torch.Generator().manual_seed(0))

    def run(x: Tensor) -> Tensor:
        return F.conv2d(x, kernel, padding=1)

    together = self_ensemble(run, IMAGE)
    assert not torch.allclose(together, run(IMAGE), atol=1e-3)
    torch.testing.assert_close(self_ensemble(run, IMAGE.mT).mT, together)
    torch.testing.assert_close(self_ensemble(run, IMAGE.flip(-1)).flip(-1), together)
