"""Classical super-resolution: bicubic down-scaling and nothing else."""

from __future__ import annotations

from torch import Tensor

from realsr_mtl.degradations.operators import imresize
from realsr_mtl.degradations.parameters import DegradationParameters


def classical(hq: Tensor, parameters: DegradationParameters) -> Tensor:
    """MATLAB's bicubic by 1/scale, rounded to 8 bits."""
    lq = imresize(hq, 1.0 / parameters.scale)
    return (lq * 255).round().clamp(0, 255) / 255
