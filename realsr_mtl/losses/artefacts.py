"""Where a network makes artefacts, rather than details (LDL)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.errors import UserError


@torch.no_grad()
def artefact_map(gt: Tensor, output: Tensor, output_of_average: Tensor, ksize: int = 7) -> Tensor:
    """How much every pixel of an output looks like an artefact (Liang et al., CVPR 2022).

    With the residual ``r[y, x] = sum_C |gt - output|`` and ``r'`` that of the averaged weights:
    ``map = var(r)^(1/5) * var of r in the window around the pixel``, and 0 where ``r < r'``: there
    the network moves towards the target. Variances are unbiased, the image is mirrored at its
    border. The loss is ``mean |map * output - map * gt|``: BasicSR's ``ldl_opt`` with an L1Loss.

    Values equal BasicSR's, where a gradient runs through the map, too; here it is a weight only.

    Args:
        gt: ``[B, C, H, W]``, the image that output should be.
        output: ``[B, C, H, W]`` of the network in training.
        output_of_average: ``[B, C, H, W]`` of the averaged weights (EMA).
        ksize: odd side of the window in pixels; the paper's 7.

    Returns:
        float32 ``[B, 1, H, W]``, 0 or larger.

    Raises:
        UserError: images smaller than half a window.
    """
    assert ksize % 2 == 1
    reach = ksize // 2
    if min(gt.shape[-2:]) <= reach:
        raise UserError(
            f"the artefact map needs more than {reach} pixels in each direction, found "
            f"{tuple(gt.shape[-2:])}"
        )
    residual, of_average = (
        (gt.float() - image.float()).abs().sum(1, keepdim=True)
        for image in (output, output_of_average)
    )
    padded = F.pad(residual, (reach, reach, reach, reach), mode="reflect")
    local = padded.unfold(2, ksize, 1).unfold(3, ksize, 1).var((-2, -1))
    whole = residual.var((1, 2, 3), keepdim=True) ** 0.2
    return torch.where(residual < of_average, 0, whole * local)
