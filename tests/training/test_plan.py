from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from realsr_mtl.config import load_options
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.training.plan import TrainingPlan
from tests._options import TINY, tiny, write_options


def test_blocks_are_built_as_written() -> None:
    plan = TrainingPlan(tiny(["train:scheduler={type: MultiStepLR, milestones: [3]}"]))
    network = plan.network()
    assert plan.optimizer(network.parameters()).param_groups[0]["lr"] == 1e-3
    assert plan.schedule().rate(1.0, 3) == pytest.approx(0.1)
    assert plan.schedule_options() == {"type": "MultiStepLR", "milestones": [3], "gamma": 0.1}
    assert plan.tasks(plan.sampler()).names == ["mild", "noise2"]
    assert plan.validation_phases() == ["val"]


def test_resolved_options_give_the_same_experiment() -> None:
    from realsr_mtl.config.writer import format_yaml

    plan = TrainingPlan(tiny())
    resolved = plan.resolved()
    assert resolved["network_g"]["act_type"] == "prelu"  # a default of the class
    assert resolved["degradation"]["jpeg_range"] == [30, 95]
    path = write_options()
    path.write_text(format_yaml(resolved))
    again = TrainingPlan(load_options(path))
    assert again.resolved() == resolved
    assert again.differences() == plan.differences()


def test_differences_name_what_is_not_a_default() -> None:
    lines = TrainingPlan(tiny()).differences()
    assert "network_g:num_conv = 1  (default 16)" in lines
    assert "logger:print_freq = 2  (default 100)" in lines
    assert "scale = 4" in lines  # has no default
    quiet = ("degradation:jpeg_range", "path:", "datasets:train:use_hflip", "datasets:val:tasks")
    assert not any(line.startswith(quiet) for line in lines)
    assert "datasets:train:gt_size = 32  (default None)" in lines


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("train=~", "needs a 'train' block"),
        ("datasets:train:gt_size=~", "needs gt_size"),
        ("datasets:train:gt_size=30", "no multiple of scale 4"),
        ("datasets:train:canvas_size=16", "smaller than gt_size"),
        ("val:val_freq=~", "needs val_freq"),
        ("degradation=~", "tasks need a 'degradation' block"),
        (
            "val:metrics={a: {type: AirNetPSNR}, b: {type: AllWeatherSSIM}}",
            "'b' and 'a' belong to different protocols",
        ),
        ("datasets:val:name=train2", None),
        (
            "strategy={gradients: {type: NashMTL, rows: last_layer}} && train:compile=true",
            "rows: last_layer works with one micro-batch a step and without compile",
        ),
        (
            "strategy={gradients: {type: NashMTL, rows: last_layer}} && train:accum_iter=2",
            "rows: last_layer works with one micro-batch",
        ),
        ("strategy={gradients: {type: NashMTL}} && train:precision=fp16", "not scaled for fp16"),
        ("train:pixel_opt:type=L2Loss", "did you mean 'L1Loss'"),
        ("train:scheduler={type: StepLR}", "MultiStepLR"),
        ("strategy={sampling: {type: Uniforms}}", "did you mean 'Uniform'"),
        ("strategy={samplings: {type: Uniform}}", "did you mean 'sampling'"),
        ("strategy={grouping: {type: TGSP}}", "did you mean 'TGSR'"),
        (
            "strategy={grouping: {type: GivenGroups, file: x}, weighting: {type: Art}}",
            "samples of a step belong to one group.*set per: sample",
        ),
        (
            "strategy={grouping: {type: GivenGroups, file: x}, gradients: {type: NashMTL}}",
            "nothing to weigh or combine",
        ),
        (
            "strategy={grouping: {type: GivenGroups, file: x, per: sample}, "
            "weighting: {type: Art}}",
            None,
        ),
        (
            "strategy={grouping: {type: GivenGroups, file: x}, sampling: {type: Uniform}, "
            "weighting: {type: Art}}",
            None,
        ),
        (
            "strategy={grouping: {type: GivenGroups, file: x}} && degradation=~ && tasks=~",
            "strategy:grouping: groups are points of a degradation space",
        ),
    ],
)
def test_mistakes_are_found_before_any_image_is_read(override: str, sentence: str | None) -> None:
    if sentence is None:
        TrainingPlan(tiny([override]))
        return
    with pytest.raises(UserError, match=sentence):
        TrainingPlan(tiny(override.split(" && ")))


def test_two_data_sets_need_two_names() -> None:
    block = {"type": "ImageFolder", "dataroot_gt": "val", "name": "same"}
    with pytest.raises(UserError, match="called 'same'"):
        TrainingPlan(
            tiny(
                [
                    "datasets:val_2={type: ImageFolder, dataroot_gt: val, name: same}",
                    f"datasets:val={block}",
                ]
            )
        )


def test_hr_images_without_degradation_are_refused(images: None) -> None:
    plan = TrainingPlan(tiny(["degradation=~", "tasks=~"]))
    with pytest.raises(UserError, match=r"tiny\.yml, line \d+: datasets:train: .*PairedImages"):
        plan.check_source(plan.images("train"), plan.tasks(None))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["scale=2", "network_g={type: RRDBNet, scale: 2, num_block: 1, num_feat: 4, "
             "num_grow_ch: 2, num_in_ch: 3, num_out_ch: 3}", "datasets:train:gt_size=50"],
            "gt_size: RRDBNet does not take LQ patches of 25 pixels .*; it takes 26: set gt_size",
        ),
    ],
)  # fmt: skip
def test_patches_that_a_network_does_not_take_are_refused_at_the_start(
    overrides: list[str], sentence: str
) -> None:
    plan = TrainingPlan(tiny(overrides))
    with pytest.raises(UserError, match=sentence):
        plan.loss_terms(["mild", "noise2"], plan.network())


def test_two_losses_of_one_name_are_refused() -> None:
    with pytest.raises(UserError, match="two losses are called 'pix'; BasicSR's places are called"):
        TrainingPlan(tiny(["train:losses={pix: {type: MSELoss}}"]))


@pytest.mark.parametrize("page", ["task_heads.md", "real_world_sr.md", "all_in_one.md"])
def test_the_examples_in_the_docs_are_valid(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    blocks = [part.split("```", 1)[0] for part in text.split("```yaml\n")[1:]]
    assert blocks
    for block in blocks:
        found = yaml.safe_load(block)
        train = TINY["train"] | {"pixel_opt": None} | found.pop("train", {})
        if "gan_opt" in train:
            found |= {"network_d": {"type": "UNetDiscriminatorSN"}}
            train["optim_d"] = {"type": "Adam"}
        plan = TrainingPlan(tiny(train=train, **found))
        assert plan.loss_names
        if "network_g" in found:
            network, tasks = plan.network(), plan.tasks(plan.sampler())
            assert plan.loss_terms(tasks.names, network).names == plan.loss_names
            assert plan.targets(network).scale_of("noise") == 1


@pytest.mark.parametrize(
    ("given", "start"), [("", None), ("datasets:train:worker_start=spawn", "spawn")]
)
@pytest.mark.usefixtures("images")
def test_loader_processes_start_as_the_file_says(given: str, start: str | None) -> None:
    plan = TrainingPlan(tiny(["datasets:train:num_worker_per_gpu=1", *given.split()]))
    loader = plan.loader(plan.images("train"), RandomStreams(0), Processes(), 0)
    context = loader._loader.multiprocessing_context
    assert (context and context.get_start_method()) == start
