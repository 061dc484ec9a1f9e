"""Groups from a file: made by hand, or the random control of TGSR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from realsr_mtl.strategies.grouping.base import GROUPINGS, Grouping


@GROUPINGS.register()
class GivenGroups(Grouping):
    """Trains on the groups of a file.

    Args:
        file: ``{"points": file, "groups": [{"name": "G1", "points": [...]}, ...]}``, the file of
            the points beside it; scripts/task_grouping.py writes ``groups.json`` and
            ``random_groups.json``, its control.
    """

    def __init__(self, *, file: str, **others: Any) -> None:
        super().__init__(**others)
        self._file = Path(file)

    @property
    def group_file(self) -> Path:
        """The given file."""
        return self._file
