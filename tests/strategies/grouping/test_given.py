from __future__ import annotations

from pathlib import Path

from realsr_mtl.strategies.grouping import GROUPINGS, GivenGroups


def test_the_file_is_the_given_one():
    grouping = GROUPINGS.build({"type": "GivenGroups", "file": "a/groups.json"})
    assert isinstance(grouping, GivenGroups)
    assert grouping.group_file == Path("a/groups.json")
