"""Classical super-resolution."""

from __future__ import annotations

from realsr_mtl.degradations.distributions import constant
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler
from realsr_mtl.degradations.space import Branch, Draw, Parameter, Space


@SAMPLERS.register(aliases=["classical", "Bicubic"])
class Classical(DegradationSampler):
    """Bicubic down-scaling (MATLAB's), the setting of classical super-resolution."""

    def __init__(self, scale: int) -> None:
        factor = Parameter("resize_scale", "of the HR size", "Factor of the bicubic resize.")
        draw = Draw("resize", (Branch(1.0, {"resize_scale": constant(1.0 / scale)}),))
        super().__init__("classical", scale, Space([factor], [draw]), noises=0)
