from __future__ import annotations

import pytest

from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import OptionError
from realsr_mtl.tasks import TASK_SETS, TaskSet, check_task_names


def test_the_base_says_what_a_task_set_must_do():
    with pytest.raises(TypeError, match="abstract"):
        TaskSet(None, ["a"], None)  # type: ignore[abstract]


@pytest.mark.parametrize("name", list(TASK_SETS))
def test_task_sets_of_option_files_are_task_sets(name: str):
    assert issubclass(TASK_SETS.get(name), TaskSet)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "a\nb", "x" * 200])
def test_names_become_parts_of_file_names(name):
    check_task_names(["mild", "noise2+resize1"])
    with pytest.raises(OptionError, match="a task has an unusable name") as caught:
        check_task_names(["mild", name])
    assert "\n" not in str(caught.value)


def test_cuts_are_named_like_files():
    cut = {"name": "../x", "where": {"resize_scale1": {"min": 0.4, "absent": True}}}
    with pytest.raises(OptionError, match=r"tasks: .*'\.\./x' cannot name a file or folder"):
        TASK_SETS.build({"type": "Partition", "cuts": [cut]}, RealESRGAN(4), path=("tasks",))
