"""Multi-task strategies, composed of parts that can be chosen one by one."""

from realsr_mtl.strategies.sampling import SAMPLINGS, TaskSampling

__all__ = ["SAMPLINGS", "TaskSampling"]
