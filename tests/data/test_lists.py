from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.data.lists import read_list, read_pairs
from realsr_mtl.errors import UserError


def test_a_name_with_brackets_is_no_size():
    Path("list.txt").write_text("a (1).png\nb (2,3,4).png (8,8,3)\nc(1,2,3).png\n")
    texts = [entry.text for entry in read_list(Path("list.txt"))]
    assert texts[::2] == ["a (1).png", "c(1,2,3).png"]


def test_a_list_of_pairs_is_told_from_a_list_of_images():
    Path("list.txt").write_text("gt/a b.png, lq/a.png\ngt/c.png, lq/c.png\n")
    pairs = read_pairs(Path("list.txt")) or []
    texts = [(gt.text, lq.text) for gt, lq in pairs]
    assert texts == [("gt/a b.png", "lq/a.png"), ("gt/c.png", "lq/c.png")]
    Path("list.txt").write_text("a,b.png (8,8,3)\n")
    assert read_pairs(Path("list.txt")) is None


@pytest.mark.parametrize("line", ["gt/b.png", "a.png, b.png, c.png"])
def test_mixed_lists_are_refused(line):
    Path("list.txt").write_text(f"gt/a.png, lq/a.png\n{line}\n")
    with pytest.raises(UserError, match="has pairs like"):
        read_pairs(Path("list.txt"))


def entry(text):
    Path("list.txt").write_text(f"first.png\n\n{text}\n", encoding="utf-8")
    return read_list(Path("list.txt"))[1]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a.png", "gt/a.png"),
        ("./b//c.png", "gt/b/c.png"),
        ("b/../a.png", "gt/a.png"),
        ("../gt/a.png", "gt/a.png"),
        ("..a/b..png", "gt/..a/b..png"),
        (r"..\..\a.png", r"gt/..\..\a.png"),  # one name, where backslashes part none
    ],
)
def test_paths_below_the_root(text, place):
    assert entry(text).below(Path("gt")) == Path(place)
    assert entry(text).below(Path.cwd() / "gt") == Path.cwd() / place


@pytest.mark.parametrize(
    "text",
    [
        "../a.png",
        "a/../../b.png",
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        ".",
        "b/..",
        "../gt2/a.png",
    ],
)
@pytest.mark.parametrize("root", ["gt", "./gt", "x/../gt"])
def test_paths_that_lead_out_of_the_root_are_refused(text, root):
    for folder in (Path(root), Path.cwd() / root):
        with pytest.raises(UserError, match=r"'list\.txt', line 3: .* does not lie in") as caught:
            entry(text).below(folder)
        assert "\n" not in str(caught.value)


def test_links_in_the_root_are_followed():
    Path("other").mkdir()
    Path("gt").mkdir()
    Path("gt/link").symlink_to(Path("other").resolve())
    Path("root").symlink_to(Path("gt").resolve())
    assert entry("link/a.png").below(Path("gt")) == Path("gt/link/a.png")
    absolute = str(Path("gt").resolve() / "a.png")
    assert entry(absolute).below(Path("root")) == Path("root/a.png")


@pytest.mark.parametrize("text", ["a\0.png", "a\x1b[31m.png", "a\u2028b.png"])
def test_control_characters_in_a_list_are_refused(text):
    with pytest.raises(UserError, match=r"line 3: .* holds a control character") as caught:
        entry(text)
    assert str(caught.value).isprintable()
