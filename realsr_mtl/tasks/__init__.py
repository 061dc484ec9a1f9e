"""Tasks: named parts of a degradation space, and what is known about each."""

from realsr_mtl.tasks.named import TaskTable, by_name, from_names
from realsr_mtl.tasks.partition import Partition
from realsr_mtl.tasks.regions import Regions
from realsr_mtl.tasks.statistics import TaskLosses, TaskMeans, TaskStatistics
from realsr_mtl.tasks.task_set import TASK_SETS, SingleTask, TaskSet

__all__ = [
    "TASK_SETS",
    "Partition",
    "Regions",
    "SingleTask",
    "TaskLosses",
    "TaskMeans",
    "TaskSet",
    "TaskStatistics",
    "TaskTable",
    "by_name",
    "from_names",
]
