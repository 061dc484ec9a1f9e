"""One blur, one down-scaling, one noise, one JPEG: the model of SRMD and DASR."""

from __future__ import annotations

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.pipelines.stages import blurs, jpegs, noises
from realsr_mtl.degradations.steps import BicubicDownscale, Subsample

DOWNSCALES = ("bicubic", "s-fold")
"""Kinds of down-scaling; a record holds the position in this list."""


def first_order(parameters: DegradationParameters, size: Size) -> list[Program]:
    """Blur, down-scale by the scale, noise, JPEG."""
    (blur,) = blurs(parameters, 1)
    kinds = {"bicubic": BicubicDownscale, "s-fold": Subsample}
    down = [kinds[DOWNSCALES[int(c)]](parameters.scale) for c in parameters["downscale"].tolist()]
    stages = (blur, down, noises(parameters, 1), jpegs(parameters, 1))
    return list(zip(*stages, strict=True))
