from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realsr_mtl.data import ImageError, PairedImages
from realsr_mtl.data.pairs import _pair
from realsr_mtl.errors import UserError
from tests._inputs import photograph
from tests.data._files import write
from tests.data._lmdb import write_lmdb


def write_pair(name: str, lq_name: str, scale: int = 4, size: tuple[int, int] = (6, 8)) -> None:
    lq = photograph(*size, seed=len(name))
    write(f"gt/{name}", lq.repeat(scale, 0).repeat(scale, 1))
    write(f"lq/{lq_name}", lq)


@pytest.mark.parametrize(
    ("template", "gt", "lq"),
    [
        ("{}", ["b.png", "a.png"], ["b.png", "a.png"]),
        ("{}x4", ["a b.png", "sub/a.png", "c.v1.png"], ["a bx4.png", "sub/ax4.png", "c.v1x4.png"]),
        ("{}", ["a.png", "b.bmp"], ["a.webp", "b.png"]),
        ("LR_{}_small", ["sub/a.png"], ["sub/LR_a_small.png"]),
    ],
)
def test_pairs_by_name(template, gt, lq):
    for name, lq_name in zip(gt, lq, strict=True):
        write_pair(name, lq_name.replace(".webp", ".png"))
        if lq_name.endswith(".webp"):  # only the ending matters here
            Path("lq", lq_name.replace(".webp", ".png")).rename(Path("lq", lq_name))
    images = PairedImages(4, dataroot_gt="gt", dataroot_lq="lq", filename_tmpl=template)
    assert sorted(images.names) == sorted(str(Path(name).with_suffix("")) for name in gt)
    for position in range(len(images)):
        sample = images.load(position)
        np.testing.assert_array_equal(sample.gt[::4, ::4], sample.lq)
        np.testing.assert_array_equal(sample.lq, photograph(6, 8, seed=len(sample.name) + 4))


def test_a_list_chooses_the_pairs_and_other_lq_images_may_stay():
    for name in ("a", "b", "c"):
        write_pair(f"{name}.png", f"{name}.png")
    Path("list.txt").write_text("c.png (24,32,3)\na.png (24,32,3)\n")
    for key in ("meta_info_file", "meta_info"):
        images = PairedImages(4, dataroot_gt="gt", dataroot_lq="lq", **{key: "list.txt"})
        assert images.names == ["c", "a"]


@pytest.mark.parametrize(
    ("gt", "lq", "template", "sentence"),
    [
        (["a", "b"], ["a"], "{}", r"1 HR images without partner \(e.g. b\); filename_tmpl"),
        (["a"], ["a", "c"], "{}", r"1 LQ images without partner \(e.g. c\)"),
        (["a"], ["c"], "{}", r"HR images .*\(e.g. a\) and 1 LQ images .*\(e.g. c\)"),
        (["a"], ["a"], "{}x4", r"filename_tmpl '\{\}x4' makes the LQ name"),
        (["a", "b", "c", "d"], ["e"], "{}", r"4 HR .*\(e.g. a, b, c\)"),
        (["sub/a"], ["a"], "{}", r"sub/a"),
        (["a"], ["a"], "x4", "filename_tmpl 'x4' must hold '{}' once"),
        (["a"], ["a"], "{}{}", "must hold '{}' once"),
    ],
)
def test_what_does_not_pair_up_is_named(gt, lq, template, sentence):
    with pytest.raises(ValueError, match=sentence):
        _pair(gt, lq, template, all_lq=True)


def test_one_stem_with_two_endings_does_not_pair_silently():
    write_pair("a.png", "a.png")
    write("lq/a.bmp", photograph(6, 8))
    with pytest.raises(UserError, match=r"without partner \(e\.g\. a\) .*a\.bmp, a\.png"):
        PairedImages(4, dataroot_gt="gt", dataroot_lq="lq")


def test_pairing_is_linear_in_the_number_of_files():
    names = [f"sub/{i}" for i in range(30_000)]
    start = time.process_time()
    partner = _pair(names, [f"{name}x4" for name in reversed(names)], "{}x4", all_lq=True)
    assert time.process_time() - start < 3
    assert partner == list(enumerate(range(29_999, -1, -1)))


@pytest.mark.parametrize(
    ("height", "width", "fits"),
    [(24, 32, True), (27, 35, True), (28, 32, False), (24, 31, False), (6, 8, False)],
)
def test_hr_must_be_the_scale_times_lq(height, width, fits):
    write("gt/a.png", photograph(height, width))
    write("lq/a.png", photograph(6, 8))
    images = PairedImages(4, dataroot_gt="gt", dataroot_lq="lq")
    if fits:
        np.testing.assert_array_equal(images.load(0).gt, photograph(height, width)[:24, :32])
    else:
        with pytest.raises(ImageError, match=f"gt/a.png' is {width} x {height} but x4 .* 32 x 24"):
            images.load(0)


def test_pairs_of_lmdbs():
    lq = {"a": photograph(6, 8), "b.v2": photograph(5, 7)}
    write_lmdb("gt.lmdb", {k: v.repeat(2, 0).repeat(2, 1) for k, v in lq.items()})
    write_lmdb("lq.lmdb", lq)
    images = PairedImages(
        2, dataroot_gt="gt.lmdb", dataroot_lq="lq.lmdb", io_backend={"type": "lmdb"}
    )
    for position, name in enumerate(lq):
        sample = images.load(position)
        assert sample.name == name
        np.testing.assert_array_equal(sample.gt[::2, ::2], sample.lq)


def test_a_list_of_pairs_names_both_sides():
    write_pair("a.png", "x.png")
    write_pair("b.png", "y.png")
    Path("list.txt").write_text("gt/b.png, lq/y.png\ngt/a.png, lq/x.png\n")
    images = PairedImages(4, dataroot_gt=".", dataroot_lq=".", meta_info="list.txt")
    assert images.names == ["gt/b", "gt/a"]
    for position in range(2):
        sample = images.load(position)
        np.testing.assert_array_equal(sample.gt[::4, ::4], sample.lq)
    Path("list.txt").write_text("gt/b.png, lq/lost.png\n")
    with pytest.raises(UserError, match=r"1 of 1 files in 'list\.txt'"):
        PairedImages(4, dataroot_gt=".", dataroot_lq=".", meta_info="list.txt")


def test_a_pair_knows_its_task(make_images: Callable[..., Path]) -> None:
    for side in ("gt", "lq"):
        for task in ("snow", "rain"):
            make_images(f"{side}/{task}", count=2, size=(16, 20))
    roots = {"dataroot_gt": "gt", "dataroot_lq": "lq"}
    pairs = PairedImages(1, **roots, task_rule="folder")
    assert pairs.tasks == ["rain", "snow"]
    found = {pairs.names[i]: pairs.tasks[pairs.task(i)] for i in range(4)}
    assert all(name.startswith(task) for name, task in found.items())
    assert PairedImages(1, **roots, task="all rain").tasks == ["all rain"]
    assert list(PairedImages(1, **roots).tasks) == ["all"]
    with pytest.raises(ValueError, match="by 'task' or by 'task_rule'"):
        PairedImages(1, **roots, task="a", task_rule="folder")


def test_several_lq_images_share_an_hr_image() -> None:
    """RESIDE: ID_A_B.jpg in parts, original/ID; Rain100L: rain-N and norain-N."""
    for name in ("part1/0025_0.8_0.04.png", "part2/0025_1_0.2.png", "part1/0031_0.8_0.1.png"):
        write(f"synthetic/{name}", photograph(16, 20, seed=len(name)))
    for name in ("0025.png", "0031.png", "9999.png"):
        write(f"original/{name}", photograph(16, 20, seed=int(name[:4])))
    roots = {"dataroot_gt": "original", "dataroot_lq": "synthetic"}
    pairs = PairedImages(1, **roots, gt_of=(r".*?(\d+)_[^/]*$", r"\1"))
    assert len(pairs) == 3
    for i, name in enumerate(pairs.names):
        sample = pairs.load(i)
        seed = int(name.split("/")[1][:4])
        assert np.array_equal(sample.gt, photograph(16, 20, seed=seed))
    write("rainy/rain-7.png", photograph(16, 20))
    write("clean/norain-7.png", photograph(16, 20, seed=1))
    rain = {"dataroot_gt": "clean", "dataroot_lq": "rainy"}
    assert PairedImages(1, **rain, gt_of=("rain-", "norain-")).names == ["rain-7"]
    with pytest.raises(UserError, match="'rain-7' asks for an HR image 'x7', which is not there"):
        PairedImages(1, **rain, gt_of=("rain-", "x"))
    with pytest.raises(ValueError, match="no regular expression"):
        PairedImages(1, **rain, gt_of=("(", "x"))
    with pytest.raises(ValueError, match="leave out filename_tmpl"):
        PairedImages(1, **rain, gt_of=("a", "b"), filename_tmpl="{}x")


def test_lq_and_hr_images_may_share_a_folder() -> None:
    """GoPro: SCENE/blur, SCENE/sharp, and SCENE/blur_gamma, which is neither."""
    for scene in ("a", "b"):
        for side, seed in (("blur", 0), ("sharp", 1), ("blur_gamma", 2)):
            write(f"train/{scene}/{side}/0001.png", photograph(16, 20, seed=seed))
    roots = {"dataroot_gt": "train", "dataroot_lq": "train"}
    pairs = PairedImages(1, **roots, gt_of=("/blur/", "/sharp/"))
    assert pairs.names == ["a/blur/0001", "b/blur/0001"]
    for position in range(2):
        sample = pairs.load(position)
        assert np.array_equal(sample.lq, photograph(16, 20, seed=0))
        assert np.array_equal(sample.gt, photograph(16, 20, seed=1))
    with pytest.raises(UserError, match="gt_of '/noise/' changes no name"):
        PairedImages(1, **roots, gt_of=("/noise/", "/sharp/"))
    Path("train/b/sharp/0001.png").unlink()
    with pytest.raises(UserError, match="'b/blur/0001' asks for an HR image 'b/sharp/0001'"):
        PairedImages(1, **roots, gt_of=("/blur/", "/sharp/"))
