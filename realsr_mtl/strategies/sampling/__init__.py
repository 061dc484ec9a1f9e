"""Task sampling: which task the next samples belong to."""

from realsr_mtl.strategies.sampling.base import SAMPLINGS, TaskSampling
from realsr_mtl.strategies.sampling.data_rebalancing import DataRebalancing
from realsr_mtl.strategies.sampling.fixed import Fixed
from realsr_mtl.strategies.sampling.natural import Natural
from realsr_mtl.strategies.sampling.uniform import Uniform
from realsr_mtl.strategies.sampling.weighted import Weighted

__all__ = [
    "SAMPLINGS",
    "DataRebalancing",
    "Fixed",
    "Natural",
    "TaskSampling",
    "Uniform",
    "Weighted",
]
