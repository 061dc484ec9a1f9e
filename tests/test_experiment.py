from __future__ import annotations

import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.experiment import Experiment
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import Targets
from tests._options import tiny


def test_parts_are_built_from_their_blocks() -> None:
    experiment = Experiment(tiny())
    sampler = experiment.sampler()
    assert sampler is not None
    assert (sampler.pipeline, sampler.scale) == ("second_order", 4)
    assert experiment.tasks(sampler).names == ["mild", "noise2"]
    assert set(experiment.metrics()) == {"psnr", "ssim"}
    assert Experiment(tiny(tasks=None)).tasks(sampler).names == ["all"]


def test_the_seed_decides_about_the_weights() -> None:
    networks = [Experiment(tiny([f"manual_seed={seed}"])).network() for seed in (3, 3, 4)]
    one, same, other = (torch.cat([p.flatten() for p in n.parameters()]) for n in networks)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["network_g:num_fet=8"], r"--force_yml 'network_g:num_fet=8': .*did you mean 'num_feat'"),
        (["degradation:jpeg_range=[95, 30]"], "runs backwards"),
        (["degradation:resize_prob=[0.5, 0.5]"], "degradation:resize_prob"),
        (["degradation:kernel_range=[8]"], "odd"),
        (
            ["tasks:cuts=[{name: a, where: {sigma_x1: {min: 1}, sigma_x2: {min: 1}}}]"],
            "cells hold 0.67",
        ),
        (["tasks:cuts=[{name: a, where: {sigma: {min: 1}}}]"], "'sigma' is no parameter"),
        (["tasks:cuts=[{name: a, where: {sigma_x1: {over: 1}}}]"], "min, max, above or below"),
        (["tasks:cuts=[{name: a, where: {sigma_x1: {min: 99}}}]"], "cells hold 1.1"),
        (["datasets:val:dataroot=x"], r"datasets:val:dataroot: .*did you mean 'dataroot_gt'"),
        (["val:metrics:psnr:crop=4"], "did you mean 'crop_border'"),
        (["val:metrics:psnr:type=calculate_pnsr"], "did you mean 'calculate_psnr'"),
    ],
)
def test_mistakes_name_their_place(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        experiment = Experiment(tiny(overrides))
        experiment.tasks(experiment.sampler())


def test_an_error_in_the_file_names_its_line() -> None:
    network = {"type": "SRVGGNetCompact", "num_fet": 8}
    with pytest.raises(UserError, match=r"tiny\.yml, line \d+: network_g:num_fet: unknown key"):
        Experiment(tiny(network_g=network))


def test_tiles_come_from_the_val_block() -> None:
    experiment = Experiment(tiny(["val:tile={tile_size: 64, tile_pad: 8}"]))
    tasks = experiment.tasks(experiment.sampler())
    evaluator = experiment.evaluator([], tasks, {}, Processes(), Targets(4))
    assert evaluator._tile is not None
    assert (evaluator._tile.size, evaluator._tile.pad) == (64, 8)


def test_the_options_of_heads_are_among_the_resolved() -> None:
    heads = {"all": {"scale": 4, "num_block": 0}}
    network = {"type": "TaskHeads", "trunk": {"type": "MSRResNet", "num_feat": 4}, "heads": heads}
    found = Experiment(tiny(network_g=network, tasks=None)).resolved()["network_g"]["heads"]["all"]
    assert found["scale"] == 4
    assert found["num_block"] == 0
