from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.data.lists import read_list, read_pairs
from realsr_mtl.errors import UserError


def test_a_name_with_brackets_is_no_size():
    Path("list.txt").write_text("a (1).png\nb (2,3,4).png (8,8,3)\nc(1,2,3).png\n")
    assert read_list(Path("list.txt"))[::2] == ["a (1).png", "c(1,2,3).png"]


def test_a_list_of_pairs_is_told_from_a_list_of_images():
    Path("list.txt").write_text("gt/a b.png, lq/a.png\ngt/c.png, lq/c.png\n")
    assert read_pairs(Path("list.txt")) == [("gt/a b.png", "lq/a.png"), ("gt/c.png", "lq/c.png")]
    Path("list.txt").write_text("a,b.png (8,8,3)\n")
    assert read_pairs(Path("list.txt")) is None


@pytest.mark.parametrize("line", ["gt/b.png", "a.png, b.png, c.png"])
def test_mixed_lists_are_refused(line):
    Path("list.txt").write_text(f"gt/a.png, lq/a.png\n{line}\n")
    with pytest.raises(UserError, match="has pairs like"):
        read_pairs(Path("list.txt"))
