from __future__ import annotations

import dataclasses

import torch

from realsr_mtl.data import StreamBatch
from realsr_mtl.degradations import SAMPLERS, RandomStreams, degrade
from realsr_mtl.degradations.operators import imresize, usm_sharpen
from realsr_mtl.strategies import SAMPLINGS, Setting
from realsr_mtl.tasks import TARGETS, Kinds, Labels, Partition, SingleTask, Targets, TaskSet
from realsr_mtl.training.batches import TaskBatchMaker
from tests._inputs import photographs


def _maker(
    tasks: TaskSet,
    sampling: str = "Natural",
    gt_size: int = 32,
    sharpen: bool = False,
    targets: Targets | None = None,
) -> TaskBatchMaker:
    streams = RandomStreams(4)
    return TaskBatchMaker(
        tasks,
        SAMPLINGS.build({"type": sampling}, Setting(tasks.names, tasks.masses, streams, 6)),
        streams,
        scale=4,
        gt_size=gt_size,
        sharpen=sharpen,
        device=torch.device("cpu"),
        targets=targets,
    )


def _patches(size: int = 32, first: int = 0, batch: int = 6) -> StreamBatch:
    gt = (photographs(first + batch, size, size)[first:] * 255).round().byte()
    index = torch.arange(first, first + batch)
    return StreamBatch(gt, None, index, {}, images=[f"image {i}" for i in index.tolist()])


def _partition() -> Partition:
    return Partition(SAMPLERS.build({"type": "RealESRGAN"}, 4))


def test_every_sample_carries_its_record_and_its_task() -> None:
    tasks = _partition()
    batch = _maker(tasks, "Uniform").make(_patches())
    assert batch.parameters is not None
    assert torch.equal(tasks.assign(batch.parameters), batch.task)
    assert torch.equal(degrade(batch.gt, batch.parameters), batch.lq)
    assert torch.equal(batch.gt, _patches().gt.float() / 255)


def test_given_tasks_replace_those_of_the_sampling() -> None:
    task = torch.tensor([7, 0, 7, 3, 3, 1])
    batch = _maker(_partition(), "Uniform").make(_patches(), task)
    assert torch.equal(batch.task, task)
    assert batch.parameters is not None
    assert torch.equal(_partition().assign(batch.parameters), task)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    maker = _maker(_partition())
    whole, part = maker.make(_patches()), maker.make(_patches(first=4, batch=2))
    assert torch.equal(whole.lq[4:], part.lq)
    assert torch.equal(whole.task[4:], part.task)


def test_the_name_of_the_image_travels_with_every_sample() -> None:
    batch = _maker(_partition()).make(_patches(first=3, batch=3))
    assert list(batch.images) == ["image 3", "image 4", "image 5"]
    assert list(batch.part(torch.tensor([2, 0])).images) == ["image 5", "image 3"]
    unnamed = _maker(_partition()).make(dataclasses.replace(_patches(), images=()))
    assert list(unnamed.part(torch.tensor([2, 0])).images) == []


def test_patches_are_cut_out_of_larger_canvases_in_step() -> None:
    tasks = SingleTask(SAMPLERS.build({"type": "Classical"}, 4))
    patches = _patches(size=64)
    batch = _maker(tasks).make(patches)
    assert batch.gt.shape[-2:] == (32, 32)
    assert batch.lq.shape[-2:] == (8, 8)
    canvas = (imresize(patches.gt.float() / 255, 0.25) * 255).round().clamp(0, 255) / 255
    corners = set()
    for i in range(len(batch.gt)):
        places = [
            (y, x)
            for y in range(9)
            for x in range(9)
            if torch.equal(canvas[i, :, y : y + 8, x : x + 8], batch.lq[i])
        ]
        assert len(places) == 1
        y, x = places[0]
        own = patches.gt[i, :, 4 * y : 4 * y + 32, 4 * x : 4 * x + 32]
        assert torch.equal(own.float() / 255, batch.gt[i])
        corners.add((y, x))
    assert len(corners) > 3  # a place of its own for each sample


def test_sharpening_comes_before_degrading_and_is_the_target() -> None:
    tasks = SingleTask(SAMPLERS.build({"type": "Classical"}, 4))
    patches = _patches(size=64)
    batch = _maker(tasks, gt_size=64, sharpen=True).make(patches)
    sharp = usm_sharpen(patches.gt.float() / 255)
    assert torch.equal(batch.gt, sharp)
    assert batch.parameters is not None
    assert torch.equal(batch.lq, degrade(sharp, batch.parameters))


def test_pairs_pass_through_with_their_tasks() -> None:
    gt, lq = photographs(2, 32, 32), (photographs(2, 8, 8) * 255).round().byte()
    task = torch.tensor([1, 0])
    batch = _maker(SingleTask(None)).make(
        StreamBatch(gt, lq, torch.arange(2), {}, task, images="ab")
    )
    assert torch.equal(batch.gt, gt)
    assert list(batch.images) == ["a", "b"]
    assert torch.equal(batch.lq, lq.float() / 255)
    assert batch.task.tolist() == [1, 0]
    assert batch.parameters is None


def _targets() -> Targets:
    sharp = TARGETS.build({"type": "Sharpened", "weight": 1.0, "threshold": 2})
    return Targets(4, {"mild": sharp}, {"noise2": 1, "resize1": 2})


def test_targets_are_cut_out_of_those_of_the_canvas() -> None:
    tasks, targets = _partition(), _targets()
    task = torch.tensor([tasks.names.index(n) for n in ("mild", "noise2", "resize1", "resize2")])
    canvas = _patches(64, batch=4)
    plain = _maker(tasks).make(canvas, task)
    batch = _maker(tasks, targets=targets).make(canvas, task)
    assert torch.equal(batch.lq, plain.lq) and torch.equal(batch.gt[3], plain.gt[3])
    whole = canvas.gt.float() / 255
    for sample, (name, scale) in enumerate((("mild", 4), ("noise2", 1), ("resize1", 2))):
        made = targets.make(whole[sample : sample + 1], name)
        windows = made.unfold(2, 8 * scale, scale).unfold(3, 8 * scale, scale)
        target = batch.gt[sample, :, : 8 * scale, : 8 * scale]
        same = (windows - target[None, :, None, None]).abs().amax((0, 1, 4, 5))
        top, left = (same == 0).nonzero()[0].tolist()
        expected = whole[sample, :, 4 * top : 4 * top + 32, 4 * left : 4 * left + 32]
        assert torch.equal(plain.gt[sample], expected), name


def test_pairs_have_targets_of_their_tasks() -> None:
    patches = _patches()
    lq, task = patches.gt[:, :, :8, :8], torch.tensor([0, 1, 1, 0, 1, 0])
    targets = Targets(4, {}, {"noise2": 2})
    tasks = Labels(["all", "noise2"], torch.tensor([0.5, 0.5], dtype=torch.float64))
    given = StreamBatch(patches.gt, lq, patches.index, {}, task)
    batch = _maker(tasks, targets=targets).make(given)
    hr = patches.gt.float() / 255
    assert torch.equal(batch.gt[0], hr[0])
    assert torch.equal(batch.gt[1, :, :16, :16], imresize(hr[1:2], 1 / 2)[0])


def test_the_second_crop_has_the_record_of_the_first_and_noise_of_its_own() -> None:
    sampler = SAMPLERS.build({"type": "AllInOne", "kinds": ["noise25", "haze"]}, 1)
    tasks = Kinds(sampler)
    streams = RandomStreams(4)
    maker = TaskBatchMaker(
        tasks,
        SAMPLINGS.build({"type": "Natural"}, Setting(tasks.names, tasks.masses, streams, 6)),
        streams,
        scale=1,
        gt_size=32,
        sharpen=False,
        device=torch.device("cpu"),
    )
    flat = torch.full((6, 3, 32, 32), 128, dtype=torch.uint8)
    patches = StreamBatch(flat, None, torch.arange(6), {}, key=flat)
    task = torch.tensor([0, 0, 0, 1, 1, 1])
    batch = maker.make(patches, task)
    assert batch.key is not None and batch.key.shape == batch.lq.shape
    query, key = batch.lq - 128 / 255, batch.key - 128 / 255
    assert torch.allclose(query[:3].std((1, 2, 3)), torch.tensor(25 / 255), rtol=0.05)
    assert torch.allclose(key[:3].std((1, 2, 3)), torch.tensor(25 / 255), rtol=0.05)
    assert ((query[:3] * key[:3]).mean((1, 2, 3)).abs() < 0.1 * (25 / 255) ** 2).all()
    again = maker.make(StreamBatch(flat, None, torch.arange(6), {}), task)
    assert again.key is None and torch.equal(again.lq, batch.lq)
    part = batch.part(torch.tensor([4, 1]))
    assert part.key is not None and torch.equal(part.key, batch.key[[4, 1]])
