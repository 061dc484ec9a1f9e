"""Tasks: named parts of a degradation space, and what is known about each."""

from realsr_mtl.tasks.partition import Partition
from realsr_mtl.tasks.statistics import TaskAverages
from realsr_mtl.tasks.task_set import TASK_SETS, SingleTask, TaskSet

__all__ = ["TASK_SETS", "Partition", "SingleTask", "TaskAverages", "TaskSet"]
