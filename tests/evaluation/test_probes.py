from __future__ import annotations

import pytest
import torch

from realsr_mtl.data import ImageFolder
from realsr_mtl.degradations.operators import imresize, usm_sharpen
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import ProbeSet, cut_patches
from realsr_mtl.metrics import PSNR
from realsr_mtl.metrics.base import to_uint8
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import Partition, Targets
from tests._asserts import global_randomness_untouched

TASKS = Partition(RealESRGAN(4))


class Bicubic(torch.nn.Module):
    """A network that needs no training."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return imresize(x, 4)


class Dropping(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(imresize(x, 4))


def probes(folder, tasks=TASKS, **options) -> ProbeSet:
    processes = options.pop("processes", Processes())
    settings = {"count": 5, "size": 48, "seed": 3, "sharpen": False, "max_failed": 0.1, **options}
    patches = cut_patches(ImageFolder(4, dataroot_gt=str(folder)), 4, **settings)
    return ProbeSet(patches, tasks, Targets(4), settings["seed"], processes)


def test_scores_are_those_of_the_metric_on_records_of_the_task(make_images):
    made = probes(make_images("p", 3))
    found = made.psnr(Bicubic())
    assert found.shape == (8,) and found.dtype == torch.float64
    assert torch.equal(made.psnr(Bicubic(), [6, 1]), found[[6, 1]])
    metric = PSNR(crop_border=4, test_y_channel=True)
    for task in (0, 5):
        inputs = made.inputs(task)
        expected = [
            metric(to_uint8(imresize(lq[None].float() / 255, 4)[0]), to_uint8(target))
            for lq, target in zip(inputs, made.patches.targets, strict=True)
        ]
        assert float(found[task]) == pytest.approx(sum(expected) / len(expected), abs=1e-9)
        assert inputs[0].shape == (3, 12, 12)


def test_two_evaluations_are_equal_to_the_last_bit_and_leave_no_trace(make_images):
    made, network = probes(make_images("p", 3)), Dropping().train()
    with global_randomness_untouched():
        first = made.psnr(network)
    assert network.training
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert torch.equal(made.psnr(network), first)  # in eval mode, on any number of threads
        assert torch.equal(made.psnr(Bicubic()), first)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_probes_depend_on_the_seed_and_on_names_only(make_images):
    folder = make_images("p", 3)
    one, same, other = probes(folder), probes(folder), probes(folder, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(one.inputs(2), same.inputs(2), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one.inputs(2), other.inputs(2), strict=True))
    longer = probes(folder, count=7)
    assert all(torch.equal(a, b) for a, b in zip(one.inputs(2), longer.inputs(2), strict=False))


def test_all_tasks_have_the_same_patches_and_records_of_their_own(make_images):
    made = probes(make_images("p", 3))
    names = TASKS.names
    for task in range(8):
        for lq, target in zip(made.inputs(task), made.patches.targets, strict=True):
            assert lq.shape[-1] * 4 == target.shape[-1], names[task]
    assert not torch.equal(made.inputs(0)[0], made.inputs(7)[0])
    mild = sum(
        float(torch.nn.functional.mse_loss(imresize(x[None] / 255, 4)[0], y))
        for x, y in zip(made.inputs(0), made.patches.targets, strict=True)
    )
    hard = sum(
        float(torch.nn.functional.mse_loss(imresize(x[None] / 255, 4)[0], y))
        for x, y in zip(made.inputs(7), made.patches.targets, strict=True)
    )
    assert hard > mild


def test_the_target_is_sharpened_where_training_sharpens(make_images):
    folder = make_images("p", 3)
    plain, sharp = probes(folder), probes(folder, sharpen=True)
    for a, b in zip(plain.patches.targets, sharp.patches.targets, strict=True):
        assert torch.equal(usm_sharpen(a[None])[0], b)


def test_two_processes_share_the_tasks(make_images):
    folder = make_images("p", 3)
    whole = probes(folder).psnr(Bicubic())

    class Pair(Processes):
        def gather(self, value):
            return [value, {t: 0.0 for t in range(8) if t not in value}]

    for rank in (0, 1):
        found = probes(folder, processes=Pair(rank, 2)).psnr(Bicubic())
        assert torch.equal(found[rank::2], whole[rank::2])
        assert not found[1 - rank :: 2].any()


def test_small_images_are_used_whole_and_broken_ones_named(make_images):
    folder = make_images("p", 2, size=(30, 44))
    assert probes(folder, size=256).patches.targets[0].shape == (3, 28, 44)
    mixed = make_images("mixed", 2, size=(30, 44))
    make_images("mixed", 2, size=(64, 80), first=5)
    assert probes(mixed, size=256, count=8).psnr(Bicubic()).isfinite().all()
    (folder / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match="cannot be used"):
        probes(folder)
    tiny = make_images("tiny", 1, size=(8, 8))
    with pytest.raises(UserError, match=r"too small for a probe|cannot be used"):
        probes(tiny)
