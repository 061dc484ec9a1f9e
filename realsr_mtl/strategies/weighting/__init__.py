"""Task weighting: how much the loss of each task counts."""

from realsr_mtl.strategies.weighting.active_reweighting import ActiveReweighting
from realsr_mtl.strategies.weighting.base import WEIGHTINGS, TaskWeighting
from realsr_mtl.strategies.weighting.dwa import DynamicWeightAverage
from realsr_mtl.strategies.weighting.equal import Equal, NaturalMix
from realsr_mtl.strategies.weighting.famo import FastAdaptiveWeighting
from realsr_mtl.strategies.weighting.focal import DynamicTaskPrioritization, FocalWeighting
from realsr_mtl.strategies.weighting.group_dro import GroupDRO
from realsr_mtl.strategies.weighting.learned_scales import ImpartialLoss, UncertaintyWeighting
from realsr_mtl.strategies.weighting.log_losses import GeometricLoss, SmoothTchebycheff
from realsr_mtl.strategies.weighting.random import RandomWeighting

__all__ = [
    "WEIGHTINGS",
    "ActiveReweighting",
    "DynamicTaskPrioritization",
    "DynamicWeightAverage",
    "Equal",
    "FastAdaptiveWeighting",
    "FocalWeighting",
    "GeometricLoss",
    "GroupDRO",
    "ImpartialLoss",
    "NaturalMix",
    "RandomWeighting",
    "SmoothTchebycheff",
    "TaskWeighting",
    "UncertaintyWeighting",
]
