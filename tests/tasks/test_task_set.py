from __future__ import annotations

import pytest

from realsr_mtl.tasks import TASK_SETS, TaskSet


def test_the_base_says_what_a_task_set_must_do():
    with pytest.raises(TypeError, match="abstract"):
        TaskSet(None, ["a"], None)  # type: ignore[abstract]


@pytest.mark.parametrize("name", list(TASK_SETS))
def test_task_sets_of_option_files_are_task_sets(name: str):
    assert issubclass(TASK_SETS.get(name), TaskSet)  # type: ignore[arg-type]
