from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.data import ImageFolder
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import SingleTask, Targets
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.probing import SIZE, build_probes, probe_images
from tests._options import TINY, tiny

pytestmark = pytest.mark.usefixtures("images")


def _plan(*overrides: str, **blocks: object) -> TrainingPlan:
    return TrainingPlan(tiny(overrides, **blocks))


def test_probes_follow_the_options_of_their_data_set() -> None:
    plan = _plan("datasets:probe:patches=5", "datasets:probe:gt_size=24")
    probes = build_probes(plan, plan.tasks(plan.sampler()), Targets(4), Processes())
    assert [t.shape for t in probes.patches.targets] == [(3, 24, 24)] * 5
    whole = _plan("datasets:probe:gt_size=null")
    probes = build_probes(whole, whole.tasks(whole.sampler()), Targets(4), Processes())
    assert probes.patches.targets[0].shape == (3, 40, 48)  # smaller than the default
    assert SIZE == 256


def test_a_test_set_that_is_not_here_does_not_matter() -> None:
    datasets = {**TINY["datasets"], "test": {"type": "ImageFolder", "dataroot_gt": "elsewhere"}}
    assert isinstance(probe_images(_plan(datasets=datasets)), ImageFolder)
    elsewhere = {**datasets["val"], "dataroot_gt": "elsewhere"}
    unused = _plan(datasets={**datasets, "val": elsewhere}, val=None)
    assert isinstance(probe_images(unused), ImageFolder)


def test_links_to_training_images_are_seen_through() -> None:
    Path("linked").mkdir()
    Path("linked/other.png").symlink_to(next(Path("hr").resolve().iterdir()))
    with pytest.raises(UserError, match="1 probe images are also in 'train'"):
        probe_images(_plan("datasets:probe:dataroot_gt=linked"))


def test_pairs_are_no_probes() -> None:
    pairs = "datasets:probe={type: PairedImages, dataroot_gt: probe, dataroot_lq: probe}"
    with pytest.raises(UserError, match="probe images are HR images alone"):
        probe_images(_plan(pairs))


def test_given_pairs_have_no_tasks_to_measure() -> None:
    with pytest.raises(UserError, match="paired data has none"):
        build_probes(_plan(), SingleTask(None), Targets(4), Processes())
