"""Tasks: named parts of a degradation space, and what is known about each."""

from realsr_mtl.tasks.case_files import (
    cases_text,
    check_file_apart,
    check_points_apart,
    read_cases,
)
from realsr_mtl.tasks.cases import Case, CaseTasks
from realsr_mtl.tasks.families import FamilyTasks
from realsr_mtl.tasks.groups import Groups, GroupTasks, read_groups
from realsr_mtl.tasks.kinds import Kinds
from realsr_mtl.tasks.labels import Labels
from realsr_mtl.tasks.named import TaskTable, by_name, from_names
from realsr_mtl.tasks.partition import Partition
from realsr_mtl.tasks.points import Points, PointTasks, draw_points, points_text, read_points
from realsr_mtl.tasks.region_tasks import RegionTasks, SingleTask
from realsr_mtl.tasks.regions import Regions
from realsr_mtl.tasks.statistics import TaskLosses, TaskMeans, TaskStatistics
from realsr_mtl.tasks.targets import TARGETS, Targets
from realsr_mtl.tasks.task_set import TASK_SETS, TaskSet, check_task_names

__all__ = [
    "TARGETS",
    "TASK_SETS",
    "Case",
    "CaseTasks",
    "FamilyTasks",
    "GroupTasks",
    "Groups",
    "Kinds",
    "Labels",
    "Partition",
    "PointTasks",
    "Points",
    "RegionTasks",
    "Regions",
    "SingleTask",
    "Targets",
    "TaskLosses",
    "TaskMeans",
    "TaskSet",
    "check_task_names",
    "TaskStatistics",
    "TaskTable",
    "by_name",
    "cases_text",
    "check_file_apart",
    "check_points_apart",
    "draw_points",
    "from_names",
    "points_text",
    "read_cases",
    "read_groups",
    "read_points",
]
