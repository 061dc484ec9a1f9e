"""Classical super-resolution: bicubic down-scaling and nothing else."""

from __future__ import annotations

from realsr_mtl.degradations.boxes import Size
from realsr_mtl.degradations.engine import Program
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.steps import BicubicDownscale


def classical(parameters: DegradationParameters, size: Size) -> list[Program]:
    """MATLAB's bicubic by 1/scale."""
    return [[BicubicDownscale(parameters.scale)] for _ in range(len(parameters))]
