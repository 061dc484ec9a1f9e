"""Task sampling: which task the next samples belong to."""

from realsr_mtl.strategies.sampling.base import SAMPLINGS, TaskSampling
from realsr_mtl.strategies.sampling.natural import Natural
from realsr_mtl.strategies.sampling.uniform import Uniform

__all__ = ["SAMPLINGS", "Natural", "TaskSampling", "Uniform"]
