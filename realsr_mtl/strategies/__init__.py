"""Multi-task strategies, composed of parts that can be chosen one by one."""

from realsr_mtl.strategies.gradients import GRADIENTS, GradientCombination
from realsr_mtl.strategies.grouping import GROUPINGS, Grouping, TaskGrouping
from realsr_mtl.strategies.part import StrategyPart, TaskColumns
from realsr_mtl.strategies.sampling import SAMPLINGS, TaskSampling
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.strategy import Strategy
from realsr_mtl.strategies.weighting import WEIGHTINGS, TaskWeighting

__all__ = [
    "GRADIENTS",
    "GROUPINGS",
    "SAMPLINGS",
    "WEIGHTINGS",
    "GradientCombination",
    "Grouping",
    "Setting",
    "Strategy",
    "StrategyPart",
    "TaskColumns",
    "TaskGrouping",
    "TaskSampling",
    "TaskWeighting",
]
