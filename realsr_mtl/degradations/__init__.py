"""Degradations: samplers draw parameters, pipelines apply them; nothing else is random."""

from realsr_mtl.degradations.distributions import Interval, Region
from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.pipelines import degrade, degrade_patches
from realsr_mtl.degradations.samplers import SAMPLERS, DegradationSampler
from realsr_mtl.degradations.space import Space
from realsr_mtl.degradations.streams import RandomStreams, stable_index

__all__ = [
    "SAMPLERS",
    "DegradationParameters",
    "DegradationSampler",
    "Interval",
    "RandomStreams",
    "Region",
    "Space",
    "degrade",
    "degrade_patches",
    "stable_index",
]
