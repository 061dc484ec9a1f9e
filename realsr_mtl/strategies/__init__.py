"""Multi-task strategies, composed of parts that can be chosen one by one."""

from realsr_mtl.strategies.gradients import GRADIENTS, GradientCombination
from realsr_mtl.strategies.part import StrategyPart, TaskColumns
from realsr_mtl.strategies.sampling import SAMPLINGS, TaskSampling
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.strategy import Strategy
from realsr_mtl.strategies.weighting import WEIGHTINGS, TaskWeighting

__all__ = [
    "GRADIENTS",
    "SAMPLINGS",
    "WEIGHTINGS",
    "GradientCombination",
    "Setting",
    "Strategy",
    "StrategyPart",
    "TaskColumns",
    "TaskSampling",
    "TaskWeighting",
]
