"""Tasks: named parts of a degradation space, and what is known about each."""

from realsr_mtl.tasks.named import by_name, from_names
from realsr_mtl.tasks.partition import Partition
from realsr_mtl.tasks.regions import Regions
from realsr_mtl.tasks.statistics import TaskAverages, TaskLosses, TaskStatistics
from realsr_mtl.tasks.task_set import TASK_SETS, SingleTask, TaskSet

__all__ = [
    "TASK_SETS",
    "Partition",
    "Regions",
    "SingleTask",
    "TaskAverages",
    "TaskLosses",
    "TaskSet",
    "TaskStatistics",
    "by_name",
    "from_names",
]
