from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from realsr_mtl.data import ImageFolder, LQFolder
from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.evaluation.frozen import EvaluationSet
from realsr_mtl.evaluation.images import to_pixels
from realsr_mtl.evaluation.strips import Strips
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import TASK_SETS


def _set(folder: Path, **tasks: object) -> EvaluationSet:
    sampler = SAMPLERS.build({"type": "RealESRGAN"}, 4)
    made = TASK_SETS.build({"type": "Partition", **tasks}, sampler)
    return EvaluationSet("set", ImageFolder(4, dataroot_gt=str(folder)), 4, made)


def test_the_first_image_of_every_task_is_shown_three_times(make_images: Callable) -> None:
    dataset = _set(make_images("hr", count=2))
    strips = Strips([dataset], size=32)
    for entry in reversed(range(len(dataset))):
        frozen = dataset.load(entry)
        assert frozen.gt is not None
        strips("set", frozen, frozen.gt)
    found = strips.gathered(Processes())
    assert list(found) == sorted(f"set/{task}" for task in dataset.tasks)
    picture = found["set/mild"]
    assert picture.shape == (32, 96, 3)
    first = dataset.load(0).gt
    assert (picture[:, 64:] == first[16:48, 24:56]).all()
    assert (picture[:, 32:64] == picture[:, 64:]).all()
    assert (picture[:4, :4] == picture[0, 0]).all()  # a pixel of LQ


def test_few_tasks_are_shown_and_images_without_reference_are_not(make_images: Callable) -> None:
    strips = Strips([_set(make_images("hr", count=1))], most=3)
    lq = EvaluationSet("lq", LQFolder(4, dataroot_lq=str(make_images("lq", count=1))), 4, None)
    for dataset, own in ((lq, Strips([lq])), (_set(Path("hr")), strips)):
        for entry in range(len(dataset)):
            frozen = dataset.load(entry)
            size = [4 * s for s in frozen.lq.shape[-2:]]
            output = to_pixels(torch.zeros(3, *size), np.uint8)
            own(dataset.name, frozen, output)
        assert len(own.pictures) == (0 if dataset is lq else 3)
