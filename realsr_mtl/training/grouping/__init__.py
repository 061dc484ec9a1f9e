"""The search for groups of tasks (TGSR)."""

from realsr_mtl.training.grouping.stages import GroupSearch

__all__ = ["GroupSearch"]
