"""Pipelines: from an HR image and a record to the LQ image, with nothing random."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program, run, run_on_patches
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.pipelines.all_in_one import all_in_one
from realsr_mtl.degradations.pipelines.classical import classical
from realsr_mtl.degradations.pipelines.first_order import first_order
from realsr_mtl.degradations.pipelines.second_order import second_order
from realsr_mtl.degradations.pipelines.shuffle import shuffle

PIPELINES: dict[str, Callable[[DegradationParameters, Size], list[Program]]] = {
    "all_in_one": all_in_one,
    "classical": classical,
    "first_order": first_order,
    "second_order": second_order,
    "shuffle": shuffle,
}
"""Name to a function that turns records, for HR images of some size, into steps."""


@torch.no_grad()
def degrade(hq: Tensor, parameters: DegradationParameters) -> Tensor:
    """Degrade every image by its own record.

    Args:
        hq: ``[B, 3, H, W]`` float32 RGB in [0, 1], or uint8; H and W multiples of the record's
            scale.
        parameters: one record per image.

    Returns:
        ``[B, 3, H / scale, W / scale]`` on the device of ``hq``, in multiples of 1/255. A sample
        does not depend on the others of its batch.

    Raises:
        ValueError: sizes that do not fit the scale or the number of records, or records of a
            pipeline that does not exist.
    """
    return run(hq, _programs(hq, parameters))


@torch.no_grad()
def degrade_patches(
    hq: Tensor,
    parameters: DegradationParameters,
    corners: Tensor,
    side: int,
    *,
    sharpen: bool = False,
) -> tuple[Tensor, Tensor]:
    """Patches of the LQ images that `degrade` would give, and the HR patches that belong to them.

    On a CPU only the patch and what it depends on is computed: the true pixels around it as far as
    filters, resizes and JPEG blocks reach. The result equals the patch of the whole LQ image up to
    the rounding of float32 (which a JPEG may turn into a grey level), but for Poisson noise: the
    different grey levels that set its peak are counted in the part that is computed.

    Args:
        hq: ``[B, 3, H, W]`` float32 RGB in [0, 1], or uint8.
        parameters: one record per image.
        corners: int64 ``[B, 2]``, top and left of every patch in LQ pixels.
        side: of the patch in LQ pixels.
        sharpen: apply `usm_sharpen` to the HR images first, as Real-ESRGAN does; the HR patch is
            then sharpened, too.

    Returns:
        ``[B, 3, side, side]`` and ``[B, 3, side * scale, side * scale]`` on the device of ``hq``.

    Raises:
        ValueError: as `degrade`, and patches that reach beyond the image.
    """
    programs = _programs(hq, parameters)
    scale = parameters.scale
    corners = corners.cpu()
    if len(corners) != len(hq) or side < 1:
        raise ValueError(f"{len(hq)} images but {len(corners)} patches of {side} LQ pixels")
    limit = torch.tensor([side_hq // scale - side for side_hq in hq.shape[-2:]])
    if bool((corners < 0).any() | (corners > limit).any()):
        raise ValueError(f"a patch of {side} LQ pixels reaches beyond the image")
    return run_on_patches(hq, programs, corners, side, scale, sharpen)


def _programs(hq: Tensor, parameters: DegradationParameters) -> list[Program]:
    if parameters.pipeline not in PIPELINES:
        raise ValueError(
            f"no pipeline is called '{parameters.pipeline}'; there are {', '.join(PIPELINES)}"
        )
    if hq.shape[1] != 3:
        raise ValueError(f"HR images must have 3 channels (RGB), found {hq.shape[1]}")
    if len(parameters) != len(hq):
        raise ValueError(f"{len(hq)} images but {len(parameters)} degradation records")
    if any(side % parameters.scale for side in hq.shape[-2:]):
        raise ValueError(f"HR size {tuple(hq.shape[-2:])} is no multiple of x{parameters.scale}")
    return PIPELINES[parameters.pipeline](parameters, (hq.shape[-2], hq.shape[-1]))
