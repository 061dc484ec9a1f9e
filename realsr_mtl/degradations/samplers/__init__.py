"""Degradation samplers; each describes a space and draws records from it."""

from realsr_mtl.degradations.samplers.all_in_one import AllInOne
from realsr_mtl.degradations.samplers.base import SAMPLERS, DegradationSampler
from realsr_mtl.degradations.samplers.bsrgan import BSRGAN
from realsr_mtl.degradations.samplers.classical import Classical
from realsr_mtl.degradations.samplers.first_order import FirstOrder
from realsr_mtl.degradations.samplers.gated import Gated
from realsr_mtl.degradations.samplers.real_esrgan import RealESRGAN

__all__ = [
    "BSRGAN",
    "AllInOne",
    "SAMPLERS",
    "Classical",
    "DegradationSampler",
    "FirstOrder",
    "Gated",
    "RealESRGAN",
]
