from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest

from realsr_mtl.data import ImageError
from realsr_mtl.data.lmdb_storage import LmdbStorage
from realsr_mtl.data.storage import (
    FileStorage,
    _unique_names,
    open_storage,
)
from realsr_mtl.errors import UserError
from tests._inputs import photograph
from tests.data._lmdb import write_lmdb


def touch(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(path.encode())


def test_folders_are_searched_in_depth_and_in_order():
    touch("a/2.png", "a/10.JPG", "a/sub/deep er/x y.jpeg", "a/sub/z.v2.tif", "b/1.webp")
    touch("a/notes.txt", "a/thumbs.db", "a/.hidden.png", "a/._2.png", "a/.cache/3.png")
    Path("a/folder.png").mkdir()
    storage = open_storage(["a", "b"])
    assert storage.names == ["10", "2", "sub/deep er/x y", "sub/z.v2", "1"]
    assert [storage.read(i) for i in (2, 4)] == [b"a/sub/deep er/x y.jpeg", b"b/1.webp"]
    assert storage.source(4) == str(Path("b/1.webp"))
    assert open_storage("a").names == storage.names[:4]


def test_links_to_folders_are_followed_but_not_in_circles():
    touch("disk/1.png", "disk/sub/2.png", "set/0.png")
    Path("set/linked").symlink_to(Path("disk").resolve())
    Path("disk/sub/back").symlink_to(Path("set").resolve())
    assert open_storage("set").names == ["0", "linked/1", "linked/sub/2"]
    Path("root").symlink_to("set")
    assert "linked/1" in open_storage("root").names


def test_what_is_called_like_an_image_is_listed_and_fails_when_it_is_read():
    touch("a/1.png")
    os.mkfifo("a/pipe.png")
    Path("a/broken.png").symlink_to("nowhere")
    Path("a/circle.png").symlink_to("other.png")
    Path("a/other.png").symlink_to("circle.png")
    Path("a/circle").symlink_to("circle")
    storage = open_storage("a")
    assert storage.names == ["1", "broken", "circle", "other", "pipe"]
    for position in range(1, 5):
        with pytest.raises(ImageError, match="cannot be read"):
            storage.read(position)


def test_folders_that_may_not_be_read_are_named(monkeypatch, caplog):
    touch("a/1.png", "a/lost+found/2.png")
    look = os.scandir

    def denied(path):  # root may look everywhere
        if Path(path).name in closed:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", denied)
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    closed = {"lost+found"}
    assert open_storage("a").names == ["1"]
    assert "left out 'a/lost+found': no permission" in caplog.text
    closed = {"a"}
    with pytest.raises(UserError, match="data folder 'a' cannot be read: Permission denied"):
        open_storage("a")


def test_names_get_longer_only_where_they_would_be_ambiguous():
    touch("a/1.png", "a/1.jpg", "a/2.png", "b/2.png", "b/3.png", "a/sub/3.png")
    names = open_storage(["a", "b"]).names
    assert names == ["1.jpg", "1.png", "a/2.png", "sub/3", "b/2.png", "3"]


def test_names_are_unique_whatever_the_endings():
    touch("a/x.png", "a/x.jpg", "a/x.png.png", "b/x.png")
    names = open_storage(["a", "b"]).names
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("roots", "sentence"),
    [
        ("absent", "'absent' does not exist .*seen from"),
        ("a/1.png", "is a file"),
        ("empty", "no image in 'empty'; known endings: .*png"),
        (["a", "empty"], "no image in 'empty'"),
        (["a", "absent"], "'absent' does not exist"),
        ([], "at least one folder"),
        (["a", "a"], "listed 2 times; do the folders overlap"),
        (["a", "a/sub"], "'a/sub/2.png' is listed 2 times"),
        (["a", "b.lmdb"], "LMDB cannot be combined"),
        (["b.lmdb", "a"], "LMDB cannot be combined"),
    ],
)
def test_wrong_folders_are_explained(roots, sentence):
    touch("a/1.png", "a/sub/2.png", "empty/readme.txt", "b.lmdb/meta_info.txt")
    with pytest.raises(UserError, match=sentence):
        open_storage(roots)


LISTS = {
    "plain": "sub/b c.png\na.png\n",
    "with sizes": "sub/b c.png (480,480,3)\na.png (32,32,1) 7\n",
    "Windows": "\ufeffsub/b c.png (480,480,3)\r\na.png\r\n\r\n",
    "blank lines": "\n  sub/b c.png  \n\na.png\n\n",
}


@pytest.mark.parametrize("kind", LISTS)
def test_meta_info_lists_choose_and_order_the_images(kind):
    touch("gt/a.png", "gt/sub/b c.png", "gt/unlisted.png", "gt/a (1).png")
    Path("list.txt").write_bytes(LISTS[kind].encode())
    storage = open_storage("gt", "list.txt")
    assert storage.names == ["sub/b c", "a"]
    assert storage.read(0) == b"gt/sub/b c.png"


def test_listed_absolute_paths_lie_below_the_root():
    touch("gt/a.png", "gt/sub/a.png", "other/a.png")
    Path("list.txt").write_text(f"a.png\n{Path('gt/sub/a.png').resolve()}\n")
    storage = open_storage("gt", "list.txt")
    assert storage.read(1) == b"gt/sub/a.png"
    assert storage.names == ["a", "sub/a"]
    Path("list.txt").write_text(f"a.png\n{Path('other/a.png').resolve()}\n")
    with pytest.raises(
        UserError, match=r"'list.txt', line 2: '/.*/other/a.png' does not lie in 'gt'"
    ):
        open_storage("gt", "list.txt")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a.png\nlost.png\ngone.png\n", r"2 of 3 files in 'list.txt' .*'gt/lost.png'"),
        (b"\n \n", "'list.txt' lists no image"),
        (b"a.png\na.png\n", "'gt/a.png' is listed 2 times"),
        (b"caf\xe9.png\n", "not text in UTF-8"),
        (None, "'list.txt' cannot be read: No such file"),
    ],
)
def test_wrong_lists_are_explained(content, sentence):
    touch("gt/a.png")
    if content is not None:
        Path("list.txt").write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        open_storage("gt", "list.txt")


def test_a_file_that_vanished_is_an_image_error():
    touch("gt/a.png")
    storage = open_storage("gt")
    os.remove("gt/a.png")
    with pytest.raises(ImageError, match=r"gt/a.png.*cannot be read: No such file"):
        storage.read(0)


def test_naming_is_linear_in_the_number_of_files():
    paths = [Path(f"root/{i % 7}/{i // 2}.{('png', 'jpg')[i % 2]}") for i in range(20_000)]
    start = time.process_time()
    names = _unique_names([(Path("root"), path) for path in paths])
    assert time.process_time() - start < 2
    assert len(set(names)) == len(names)


def test_storages_are_the_documented_kinds():
    touch("a/1.png")
    assert isinstance(open_storage("a"), FileStorage)
    assert isinstance(open_storage(write_lmdb("set.lmdb", {"a": photograph(8, 12)})), LmdbStorage)
