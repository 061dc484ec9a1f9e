"""Pipelines: from an HR image and a record to the LQ image, with nothing random."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.pipelines.classical import classical
from realsr_mtl.degradations.pipelines.second_order import second_order

PIPELINES: dict[str, Callable[[Tensor, DegradationParameters], Tensor]] = {
    "classical": classical,
    "second_order": second_order,
}


@torch.no_grad()
def degrade(hq: Tensor, parameters: DegradationParameters) -> Tensor:
    """Degrade every image by its own record.

    Args:
        hq: ``[B, 3, H, W]`` float32 RGB in [0, 1]; H and W multiples of the record's scale.
        parameters: one record per image.

    Returns:
        ``[B, 3, H / scale, W / scale]`` on the device of ``hq``, in multiples of 1/255. A sample
        does not depend on the others of its batch.

    Raises:
        ValueError: sizes that do not fit the scale or the number of records, or records of a
            pipeline that does not exist.
    """
    if parameters.pipeline not in PIPELINES:
        raise ValueError(
            f"no pipeline is called '{parameters.pipeline}'; there are {', '.join(PIPELINES)}"
        )
    if len(parameters) != len(hq):
        raise ValueError(f"{len(hq)} images but {len(parameters)} degradation records")
    if any(side % parameters.scale for side in hq.shape[-2:]):
        raise ValueError(f"HR size {tuple(hq.shape[-2:])} is no multiple of x{parameters.scale}")
    return PIPELINES[parameters.pipeline](hq.float(), parameters)
