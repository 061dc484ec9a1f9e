from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data import ImageError, ImageFolder, LQFolder, PairedImages
from realsr_mtl.degradations import SAMPLERS, degrade
from realsr_mtl.evaluation.frozen import EvaluationSet
from realsr_mtl.tasks import Partition, SingleTask, TaskSet
from tests._inputs import photograph

Make = Callable[..., Path]


def _tasks() -> TaskSet:
    return Partition(SAMPLERS.build({"type": "RealESRGAN"}, 4))


def test_lq_depends_on_the_names_and_the_seed_only(make_images: Make) -> None:
    few, many = make_images("few", count=1, first=1), make_images("many", count=3)
    tasks = _tasks()
    small = EvaluationSet("a", ImageFolder(4, dataroot_gt=str(few)), 4, tasks, seed=7)
    large = EvaluationSet(
        "b", ImageFolder(4, dataroot_gt=str(many)), 4, tasks, chosen=["resize1", "mild"], seed=7
    )
    assert len(small) == 8
    assert len(large) == 6
    first = {(f.name, f.task): f for f in (small.load(i) for i in range(len(small)))}
    for entry in range(len(large)):
        frozen = large.load(entry)
        if (frozen.name, frozen.task) in first:
            assert torch.equal(frozen.lq, first[frozen.name, frozen.task].lq)
    other = EvaluationSet("a", ImageFolder(4, dataroot_gt=str(few)), 4, tasks, seed=8)
    assert not torch.equal(other.load(0).lq, small.load(0).lq)


def test_records_belong_to_their_task_and_replay_the_image(make_images: Make) -> None:
    tasks = _tasks()
    images = ImageFolder(4, dataroot_gt=str(make_images("hr", count=2)))
    dataset = EvaluationSet("set", images, 4, tasks)
    for entry in range(len(dataset)):
        frozen = dataset.load(entry)
        assert frozen.parameters is not None
        assert frozen.gt is not None
        assert tasks.names[int(tasks.assign(frozen.parameters))] == frozen.task
        hq = torch.from_numpy(frozen.gt).permute(2, 0, 1)[None].float() / 255
        assert torch.equal(degrade(hq, frozen.parameters), frozen.lq)
        assert torch.equal(dataset.load(entry).lq, frozen.lq)  # from the cache


def test_natural_mix_and_odd_sizes(make_images: Make) -> None:
    images = ImageFolder(4, dataroot_gt=str(make_images("hr", size=(67, 81))))
    dataset = EvaluationSet("set", images, 4, _tasks(), chosen="natural", max_images=2)
    assert len(dataset) == 2
    frozen = dataset.load(1)
    assert frozen.task == "natural"
    assert frozen.gt is not None
    assert frozen.gt.shape == (64, 80, 3)
    assert frozen.lq.shape == (1, 3, 16, 20)


def test_pairs_and_lq_images_are_used_as_they_are(tmp_path: Path) -> None:
    for name, size in (("gt", (32, 48)), ("lq", (8, 12))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), photograph(*size))
    pairs = PairedImages(4, dataroot_gt="gt", dataroot_lq="lq")
    frozen = EvaluationSet("pairs", pairs, 4, SingleTask(None)).load(0)
    assert frozen.task == "all"
    assert frozen.parameters is None
    assert frozen.gt is not None
    assert np.array_equal(frozen.gt, photograph(32, 48)[..., ::-1])
    only = EvaluationSet("lq", LQFolder(4, dataroot_lq="lq"), 4, SingleTask(None))
    assert only.load(0).gt is None
    assert not only.has_reference


def test_mistakes(make_images: Make) -> None:
    images = ImageFolder(4, dataroot_gt=str(make_images("hr", count=1)))
    with pytest.raises(ValueError, match="'degradation' block"):
        EvaluationSet("set", images, 4, SingleTask(None))
    with pytest.raises(ValueError, match=r"'strong'.*mild, noise2"):
        EvaluationSet("set", images, 4, _tasks(), chosen=["strong"])


@pytest.mark.parametrize("multiple", [1, 16])
def test_images_are_cut_around_their_middle(multiple: int, make_images: Make) -> None:
    make_images("odd", count=1, size=(50, 61))
    tasks = _tasks()
    images = ImageFolder(4, dataroot_gt="odd")
    frozen = EvaluationSet("set", images, 4, tasks, crop_multiple=multiple).load(0)
    whole = images.load(0).gt
    expected = whole[1:49, 6:54] if multiple == 16 else whole[:48, :60]
    assert np.array_equal(frozen.gt, expected)
    assert frozen.lq.shape[-2:] == tuple(side // 4 for side in frozen.gt.shape[:2])


def test_pairs_are_cut_to_the_same_part(make_images: Make) -> None:
    make_images("gt", count=1, size=(80, 104))
    make_images("lq", count=1, size=(20, 26))
    pairs = PairedImages(4, dataroot_gt="gt", dataroot_lq="lq")
    frozen = EvaluationSet("set", pairs, 4, None, crop_multiple=16).load(0)
    sample = pairs.load(0)
    assert np.array_equal(frozen.gt, sample.gt[:, 4:100]) and frozen.gt.shape == (80, 96, 3)
    expected = torch.from_numpy(sample.lq[:, 1:25].copy()).permute(2, 0, 1)
    assert torch.equal((frozen.lq[0] * 255).round().byte(), expected)


def test_images_smaller_than_the_multiple_are_unusable(make_images: Make) -> None:
    make_images("small", count=1, size=(15, 61))
    images = ImageFolder(4, dataroot_gt="small")
    frozen = EvaluationSet("set", images, 4, _tasks(), crop_multiple=16)
    with pytest.raises(ImageError, match="'img_000' has 61 x 15 pixels, fewer than the 16"):
        frozen.load(0)
    with pytest.raises(ValueError, match="crop_multiple 6 is no multiple of scale 4"):
        EvaluationSet("set", images, 4, _tasks(), crop_multiple=6)


@pytest.mark.parametrize("task", ["../x", "a/b", "/tmp/x", "..", "a\x00b"])
def test_a_task_that_would_lead_out_of_a_folder_is_refused(make_images: Make, task: str) -> None:
    gt = make_images("gt", count=1)
    images = PairedImages(1, dataroot_gt=str(gt), dataroot_lq=str(gt), task=task)
    with pytest.raises(ValueError, match="a task has an unusable name"):
        EvaluationSet("a", images, 1, None)


def test_the_checksum_changes_with_any_pixel(make_images: Make) -> None:
    images = ImageFolder(4, dataroot_gt=str(make_images("hr", count=1)))
    frozen, again = (EvaluationSet("set", images, 4, _tasks()).load(0) for _ in range(2))
    assert len(frozen.checksum) == 16 and again.checksum == frozen.checksum
    assert again.gt is not None
    again.gt[0, 0, 0] ^= 1
    assert again.checksum != frozen.checksum
    again.gt[0, 0, 0] ^= 1
    again.lq[0, 0, 0, 0] += 1 / 255
    assert again.checksum != frozen.checksum
