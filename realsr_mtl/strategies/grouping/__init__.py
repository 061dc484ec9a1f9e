"""Task grouping: which groups of tasks training draws from."""

from realsr_mtl.strategies.grouping.base import GROUPINGS, Grouping
from realsr_mtl.strategies.grouping.given import GivenGroups
from realsr_mtl.strategies.grouping.selection import (
    Round,
    group_in_rounds,
    random_groups,
    unsatisfactory,
)
from realsr_mtl.strategies.grouping.task_grouping import TaskGrouping

__all__ = [
    "GROUPINGS",
    "GivenGroups",
    "Grouping",
    "Round",
    "TaskGrouping",
    "group_in_rounds",
    "random_groups",
    "unsatisfactory",
]
