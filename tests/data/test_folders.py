from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realsr_mtl.data import DATASETS, ImageFolder, LQFolder
from realsr_mtl.errors import OptionError
from realsr_mtl.evaluation.images import write_image
from tests._inputs import photograph
from tests.data._files import write


def test_hr_folders_with_a_red_image():
    red = np.zeros((8, 9, 3), np.uint8)
    red[..., 0] = 255
    write("a/sub/red.png", red)
    write("b/x.bmp", photograph(5, 6))
    images = DATASETS.build({"type": "ImageFolder", "dataroot_gt": ["a", "b"]}, 4)
    assert images.names == ["sub/red", "x"]
    sample = images.load(0)
    assert (sample.name, sample.lq) == ("sub/red", None)
    np.testing.assert_array_equal(sample.gt, red)
    assert (images.has_gt, images.has_lq, len(images)) == (True, False, 2)


def test_lq_folders_give_lq_only():
    write("lq/b.png", photograph(5, 6))
    write("lq/a.png", photograph(7, 8))
    Path("list.txt").write_text("b.png (5,6,3)\n")
    images = LQFolder(4, dataroot_lq="lq", meta_info_file="list.txt")
    sample = images.load(0)
    assert (images.names, sample.gt) == (["b"], None)
    np.testing.assert_array_equal(sample.lq, photograph(5, 6))
    assert len(LQFolder(4, dataroot_lq=["lq"])) == 2


def test_lq_images_keep_what_their_files_hold():
    photo = photograph(7, 8)
    for name, image in (("grey", photo[..., 0]), ("alpha", np.dstack((photo, photo[..., 1])))):
        write_image(Path(f"lq/{name}.png"), image.astype(np.uint16) * 200)
    alpha, grey = (LQFolder(4, dataroot_lq="lq").load(i).lq for i in range(2))
    assert (alpha.shape, grey.shape, alpha.dtype) == ((7, 8, 4), (7, 8), np.uint16)
    np.testing.assert_array_equal(alpha[..., :3], photo.astype(np.uint16) * 200)


def test_one_lq_file_with_a_task():
    write("some/folder/a.b.png", photograph(5, 6))
    block = {"type": "LQFolder", "dataroot_lq": "some/folder/a.b.png", "task": "noise"}
    images = DATASETS.build(block, 4)
    assert (images.names, images.tasks, images.task(0)) == (["a.b"], ("noise",), 0)
    np.testing.assert_array_equal(images.load(0).lq, photograph(5, 6))
    assert LQFolder(4, dataroot_lq="some").tasks == ("all",)


@pytest.mark.parametrize("cache", [False, True])
def test_cached_images_are_equal(make_images, cache):
    folder = str(make_images("gt", count=3))
    images, plain = (
        ImageFolder(4, dataroot_gt=folder, cache=cache),
        ImageFolder(4, dataroot_gt=folder),
    )
    images.preload()
    for _ in range(2):
        for position in range(3):
            np.testing.assert_array_equal(images.load(position).gt, plain.load(position).gt)
    if cache:
        Path(folder, "img_001.png").unlink()
        assert images.load(1).gt is not None


def test_unknown_backends_are_refused(make_images):
    block = {"type": "ImageFolder", "dataroot_gt": str(make_images("gt")), "io_backend": {}}
    assert len(DATASETS.build(block, 4)) == 3
    with pytest.raises(OptionError, match="'memcached' is not supported; there are disk and lmdb"):
        DATASETS.build({**block, "io_backend": {"type": "memcached"}}, 4)
