from __future__ import annotations

import os
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from realsr_mtl.bridges import basicsr
from realsr_mtl.data import ImageError
from realsr_mtl.data.reading import decode
from realsr_mtl.data.storage import open_storage
from realsr_mtl.errors import UnavailableError, UserError
from tests._inputs import photograph
from tests.data._lmdb import write_lmdb

IMAGES = {
    "b": photograph(8, 12),
    "a.v2": photograph(9, 11, seed=1),
    "sub/c d": photograph(7, 7, seed=2),
    "größe": photograph(5, 6, seed=3),
}


def test_lmdb_gives_the_images_in_the_order_of_its_list():
    storage = open_storage(write_lmdb("set.lmdb", IMAGES))
    assert storage.names == list(IMAGES)
    for position, image in enumerate(IMAGES.values()):
        np.testing.assert_array_equal(decode(storage.read(position), "x"), image)
    assert storage.source(1) == "set.lmdb:a.v2"


def test_an_lmdb_made_by_basicsr(make_images, capsys):
    pytest.importorskip("lmdb")
    try:
        make = basicsr.load("utils.lmdb_util").make_lmdb_from_imgs
    except UnavailableError as error:
        pytest.skip(str(error))
    folder = make_images("gt", count=3)
    files = sorted(path.name for path in folder.iterdir())
    make(str(folder), "gt.lmdb", files, [name.split(".")[0] for name in files])
    lmdb, disk = open_storage("gt.lmdb"), open_storage("gt")
    assert lmdb.names == disk.names
    for position in range(3):
        expected = decode(disk.read(position), "x")
        np.testing.assert_array_equal(decode(lmdb.read(position), "x"), expected)


def test_a_list_chooses_from_an_lmdb():
    root = write_lmdb("set.lmdb", IMAGES)
    Path("list.txt").write_text("sub/c d.png (7,7,3)\nb.png\n")
    storage = open_storage(root, "list.txt")
    assert storage.names == ["sub/c d", "b"]
    np.testing.assert_array_equal(decode(storage.read(1), "x"), IMAGES["b"])
    Path("list.txt").write_text("b.png\nlost.png\n")
    with pytest.raises(UserError, match=r"1 of 2 images in 'list.txt' .*'lost'"):
        open_storage(root, "list.txt")


def test_an_open_lmdb_is_shared_and_reaches_other_processes():
    storage = open_storage(write_lmdb("set.lmdb", IMAGES))
    here = storage.read(0)
    assert open_storage("set.lmdb").read(0) == here  # training and validation may share one
    assert pickle.loads(pickle.dumps(storage)).read(0) == here
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        assert pool.submit(storage.read, 0).result(timeout=20) == here


def test_broken_lmdb_folders_are_explained(monkeypatch):
    root = write_lmdb("set.lmdb", IMAGES)
    with open("set.lmdb/meta_info.txt", "a") as file:
        file.write("ghost.png (8,8,3) 1\n")
    storage = open_storage(root)
    with pytest.raises(ImageError, match=r"set\.lmdb:ghost is listed in .* but not"):
        storage.read(len(IMAGES))
    Path("text.lmdb").mkdir()
    Path("text.lmdb/data.mdb").write_bytes(b"text")
    Path("text.lmdb/meta_info.txt").write_text("a.png (8,8,3) 1\n")
    with pytest.raises(UserError, match=r"text\.lmdb' cannot be opened as an LMDB"):
        open_storage("text.lmdb")
    Path("set.lmdb/meta_info.txt").write_text("")
    with pytest.raises(UserError, match=r"LMDB 'set\.lmdb' is empty"):
        open_storage(root)
    os.remove("set.lmdb/meta_info.txt")
    with pytest.raises(UserError, match=r"meta_info\.txt' cannot be read"):
        open_storage(root)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(UnavailableError, match="pip install lmdb"):
        open_storage(root)


@pytest.mark.parametrize("key", ["../../a", "/etc/passwd", "a/../../b"])
def test_keys_that_would_lead_out_of_a_folder_are_refused(key):
    write_lmdb("a.lmdb", {key: photograph(8, 8)})
    with pytest.raises(UserError, match=r"a\.lmdb/meta_info\.txt', line 1: .* does not lie in"):
        open_storage("a.lmdb")
