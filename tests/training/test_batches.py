from __future__ import annotations

import torch

from realsr_mtl.data import StreamBatch
from realsr_mtl.degradations import SAMPLERS, RandomStreams, degrade
from realsr_mtl.degradations.operators import imresize, usm_sharpen
from realsr_mtl.strategies import SAMPLINGS, Setting
from realsr_mtl.tasks import Partition, SingleTask, TaskSet
from realsr_mtl.training.batches import TaskBatchMaker
from tests._inputs import photographs


def _maker(
    tasks: TaskSet, sampling: str = "Natural", gt_size: int = 32, sharpen: bool = False
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
    )


def _patches(size: int = 32, first: int = 0, batch: int = 6) -> StreamBatch:
    gt = (photographs(first + batch, size, size)[first:] * 255).round().byte()
    return StreamBatch(gt, None, torch.arange(first, first + batch), {})


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
    batch = _maker(SingleTask(None)).make(StreamBatch(gt, lq, torch.arange(2), {}, task))
    assert torch.equal(batch.gt, gt)
    assert torch.equal(batch.lq, lq.float() / 255)
    assert batch.task.tolist() == [1, 0]
    assert batch.parameters is None
