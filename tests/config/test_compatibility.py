import copy

import pytest

from realsr_mtl.archs import count_parameters
from realsr_mtl.config.compatibility import translate
from realsr_mtl.config.reader import parse_value
from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.training import TrainingPlan
from tests.config._files import BASICSR, OURS, REAL_ESRGAN, REAL_ESRNET, line_of, load, refusal

DEAD = ["dist_params"]
DEAD_REAL = ["datasets:train:gt_size", "queue_size", "datasets:train:use_shuffle", "dist_params"]
SPACE = {
    "resize_prob": (0.1, 0.8, 0.1),
    "resize_range": (0.2, 1.4),
    "gaussian_noise_prob": 0.6,
    "noise_range": (2, 20),
    "poisson_scale_range": (0.1, 2),
    "gray_noise_prob": 0.3,
    "jpeg_range": (40, 90),
    "second_blur_prob": 0.7,
    "resize_prob2": (0.2, 0.5, 0.3),
    "resize_range2": (0.4, 1.1),
    "gaussian_noise_prob2": 0.4,
    "noise_range2": (3, 15),
    "poisson_scale_range2": (0.2, 1.5),
    "gray_noise_prob2": 0.2,
    "jpeg_range2": (50, 80),
    "kernel_list": ("iso", "aniso"),
    "kernel_prob": (0.6, 0.4),
    "sinc_prob": 0.2,
    "blur_sigma": (0.3, 2),
    "betag_range": (0.6, 3),
    "betap_range": (1, 3),
    "kernel_list2": ("iso", "plateau_iso"),
    "kernel_prob2": (0.7, 0.3),
    "sinc_prob2": 0.3,
    "blur_sigma2": (0.1, 1),
    "betag_range2": (0.7, 2),
    "betap_range2": (1, 4),
    "final_sinc_prob": 0.9,
}


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        (OURS, []),
        (BASICSR, DEAD),
        (REAL_ESRNET, DEAD_REAL),
        (REAL_ESRGAN, DEAD_REAL),
    ],
)
def test_files_load_unchanged_with_one_warning_for_each_dead_key(text, dead):
    warnings = load(text).warnings
    assert sorted(w.split(" is ignored: ")[0] for w in warnings) == sorted(dead)
    assert all(w.partition(": ")[2] for w in warnings)


def test_our_own_layout_comes_back_as_it_was():
    file = parse_value(OURS)
    translation = translate(file)
    assert translation.options == file
    assert (translation.warnings, translation.moved) == ([], {})


@pytest.mark.parametrize("text", [OURS, BASICSR, REAL_ESRNET, REAL_ESRGAN])
def test_translating_leaves_the_file_alone_and_is_done_once(text):
    file = parse_value(text)
    before = copy.deepcopy(file)
    first = translate(file)
    assert file == before
    again = translate(first.options)
    assert again.options == first.options
    assert again.warnings == []


def test_basicsr_files_are_training_plans():
    plan = TrainingPlan(load(BASICSR))
    assert plan.gt_size == 128
    assert plan.train.optim_g.block()["lr"] == 2e-4
    assert plan.options.val.val_freq == 5000
    assert plan.options.degradation is None
    assert plan.schedule().rate(1.0, 0) == 1.0
    assert list(plan.options.val.metrics) == ["psnr", "niqe"]


def test_real_esrgans_degradation_keys_become_the_degradation_block():
    plan = TrainingPlan(load(REAL_ESRNET))
    checked = SAMPLERS.check(plan.options.degradation.block())
    gates = {name: p for name, p in checked.items() if p == 1 and name not in SPACE}
    assert len(gates) == 7  # those of gated degradation, all open
    own = {"kernel_range": checked["kernel_range"]}
    assert checked == {"type": "RealESRGAN", **SPACE, **own, **gates}
    assert plan.options.gt_usm is True
    assert plan.sampler().scale == 4
    dataset = plan.dataset
    assert dataset.block() == {
        "type": "ImageFolder",
        "dataroot_gt": "hr",
        "meta_info": "list.txt",
        "io_backend": {"type": "disk"},
    }
    assert (dataset.gt_size, dataset.canvas_size, dataset.use_rot) == (256, 400, False)


@pytest.mark.parametrize("sharp", [True, False])
@pytest.mark.parametrize(
    ("key", "slot"),
    [("l1_gt_usm", "pixel_opt"), ("percep_gt_usm", "perceptual_opt"), ("gan_gt_usm", "gan_opt")],
)
def test_every_loss_of_the_gan_file_says_what_it_compares_with(key, slot, sharp):
    default = {"l1_gt_usm": True, "percep_gt_usm": True, "gan_gt_usm": False}
    changed = load(REAL_ESRGAN, (f"{key}: {default[key]}", f"{key}: {sharp}")).options
    overridden = load(REAL_ESRGAN, overrides=[f"{key}={str(sharp).lower()}"]).options
    for options in (changed, overridden):
        assert options.gt_usm is True  # LQ images are made from the sharpened one in any case
        assert getattr(options.train, slot).block()["gt_usm"] is sharp


def test_the_gan_file_is_a_plan_with_a_discriminator():
    plan = TrainingPlan(load(REAL_ESRGAN))
    assert count_parameters(plan.discriminator()) == 4_376_897
    optimizer = plan.optimizer(plan.discriminator().parameters(), "optim_d")
    assert optimizer.param_groups[0]["lr"] == 1e-4


def test_esrgans_model_has_the_relativistic_loss():
    esrgan = ("model_type: RealESRNetModel", "model_type: ESRGANModel")
    plan = TrainingPlan(load(REAL_ESRGAN, esrgan))
    assert plan.options.train.gan_opt.type == "RelativisticGANLoss"
    assert "gan_type" in plan.resolved()["train"]["gan_opt"]


@pytest.mark.parametrize("model", ["SRModel", "SwinIRModel", "RealESRNetModel", "RealESRGANModel"])
def test_models_for_images_are_known_and_others_refused(model):
    load(REAL_ESRGAN, ("model_type: RealESRNetModel", f"model_type: {model}"))
    sentence = refusal(REAL_ESRGAN, ("model_type: RealESRNetModel", "model_type: VideoGANModel"))
    assert "model_type: no model is called 'VideoGANModel'; there are SRModel" in sentence


@pytest.mark.parametrize(("size", "canvas"), [(128, 400), (512, 512)])
def test_the_canvas_is_real_esrgans_but_never_smaller_than_the_patch(size, canvas):
    change = ("gt_size: 256", f"gt_size: {size}")
    in_file = load(REAL_ESRNET, change).options.datasets["train"]
    overridden = load(REAL_ESRNET, overrides=[f"gt_size={size}"]).options.datasets["train"]
    assert (in_file.gt_size, in_file.canvas_size) == (size, canvas)
    assert (overridden.gt_size, overridden.canvas_size) == (size, canvas)


def test_a_top_level_gt_size_that_the_original_would_not_read_does_not_count():
    loaded = load(OURS, ("num_gpu: 0", "gt_size: 32"))
    assert loaded.options.datasets["train"].gt_size == 64
    assert loaded.warnings == ["gt_size is ignored: datasets:train:gt_size is the patch size"]
    moved = load(OURS, ("num_gpu: 0", "gt_size: 32"), ("    gt_size: 64\n", ""))
    assert moved.options.datasets["train"].gt_size == 32


@pytest.mark.parametrize("key", ["jpeg_range", "degradation:jpeg_range"])
@pytest.mark.parametrize("text", [REAL_ESRNET, OURS])
def test_degradation_values_are_overridden_by_either_spelling(text, key):
    plan = TrainingPlan(load(text, overrides=[f"{key}=[11, 22]"]))
    assert SAMPLERS.check(plan.options.degradation.block())["jpeg_range"] == (11, 22)


@pytest.mark.parametrize("key", ["datasets:train:sinc_prob", "degradation:sinc_prob"])
@pytest.mark.parametrize("text", [REAL_ESRNET, OURS])
def test_blur_values_are_overridden_by_either_spelling(text, key):
    plan = TrainingPlan(load(text, overrides=[f"{key}=0.5"]))
    assert SAMPLERS.check(plan.options.degradation.block())["sinc_prob"] == 0.5


def test_the_last_of_two_spellings_does_not_lose_the_rest_of_the_space():
    block = load(
        REAL_ESRNET, overrides=["degradation:jpeg_range=[11, 22]", "noise_range=[1, 2]"]
    ).options.degradation.block()
    assert (block["jpeg_range"], block["noise_range"]) == ([11, 22], [1, 2])
    assert block["blur_sigma"] == [0.3, 2]


def test_sharpening_is_overridden_as_a_whole():
    assert load(REAL_ESRGAN, overrides=["gt_usm=false"]).options.gt_usm is False


def test_a_dead_key_is_named_once_even_if_an_override_repeats_it():
    loaded = load(REAL_ESRNET, overrides=["datasets:train:use_shuffle=false", "queue_size=9"])
    assert len(loaded.warnings) == len(set(loaded.warnings)) == len(DEAD_REAL)


@pytest.mark.parametrize(
    ("change", "part", "line"),
    [
        (("jpeg_range: [40, 90]", "jpeg_range: 40"), "degradation:jpeg_range", "jpeg_range: 40"),
        (("sinc_prob: 0.2", "sinc_prob: high"), "degradation:sinc_prob", "sinc_prob: high"),
        (("gt_size: 256", "gt_size: big"), "datasets:train:gt_size", "gt_size: big"),
        (("gt_usm: True", "gt_usm: maybe"), "gt_usm", "gt_usm: maybe"),
        (("blur_kernel_size: 21", "blur_kernel_size: 15"), "kernel_range", "blur_kernel_size: 15"),
    ],
)
def test_errors_name_the_line_where_the_original_layout_has_the_key(change, part, line):
    sentence = refusal(REAL_ESRNET, change, plan=True)
    assert sentence.startswith(f"o.yml, line {line_of(line)}: ")
    assert part in sentence


@pytest.mark.parametrize("change", ["jpeg_rang: [1, 2]", "noise_range3: [1, 2]"])
def test_a_slip_in_a_degradation_key_is_an_unknown_key(change):
    sentence = refusal(REAL_ESRNET, ("jpeg_range: [40, 90]", change))
    assert sentence.startswith(f"o.yml, line {line_of(change)}: {change.split(':')[0]}: unknown")


def test_a_slip_in_a_blur_key_is_an_unknown_key_of_the_data_set():
    sentence = refusal(REAL_ESRNET, ("sinc_prob: 0.2", "sinc_prop: 0.2"), plan=True)
    assert "datasets:train:sinc_prop: unknown key" in sentence


@pytest.mark.parametrize("kind", ["RealESRGANDataset", "RealESRGANPairedDataset"])
def test_real_esrgans_fine_tuning_on_pairs(kind):
    loaded = load(
        REAL_ESRNET,
        ("queue_size: 180", "high_order_degradation: False"),
        ("RealESRGANDataset", kind),
        ("dataroot_gt: hr", "dataroot_gt: hr\n    dataroot_lq: lq"),
    )
    plan = TrainingPlan(loaded)
    assert plan.options.degradation is None
    assert plan.gt_size == 192
    assert plan.dataset.type in ("PairedImages", "RealESRGANPairedDataset")
    dead = [w.split(" is ignored")[0] for w in loaded.warnings]
    assert dead == ["the degradation", "gt_size", "datasets:train:use_shuffle", "dist_params"]


@pytest.mark.parametrize(
    ("change", "dead"),
    [
        ("prefetch_mode: cuda", "datasets:train:prefetch_mode"),
        ("num_prefetch_queue: 1", "datasets:train:num_prefetch_queue"),
        ("phase: train", "datasets:train:phase"),
        ("color: ~", None),
        ("color: rgb", None),
        ("mean: ~", None),
    ],
)
def test_loader_keys_of_basicsr(change, dead):
    loaded = load(BASICSR, ("prefetch_mode: ~", change))
    TrainingPlan(loaded)
    named = [w.split(" is ignored")[0] for w in loaded.warnings]
    assert named == ([dead] if dead else []) + DEAD


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("prefetch_mode: ~", "mean: [0.5, 0.5, 0.5]", "datasets:train:mean"),
        ("prefetch_mode: ~", "std: [1, 1, 1]", "datasets:train:std"),
        ("wandb: {project: ~,", "wandb: {project: mine,", "logger:wandb"),
        ("wandb: {project: ~, resume_id: ~}", "wandb: true", "logger:wandb"),
    ],
)
def test_what_would_change_the_result_is_refused(old, new, key):
    sentence = refusal(BASICSR, (old, new))
    assert sentence.startswith(f"o.yml, line {line_of(new)}: {key}: ")
    assert "not supported" in sentence


@pytest.mark.parametrize("wandb", ["wandb: ~", "wandb: {}", "wandb: false"])
def test_wandb_may_stand_there_unused(wandb):
    load(BASICSR, ("wandb: {project: ~, resume_id: ~}", wandb))


def test_validation_sets_have_no_patch():
    loaded = load(OURS, ("dataroot_gt: val}", "dataroot_gt: val, gt_size: 64}"))
    assert loaded.options.datasets["val"].gt_size is None
    assert loaded.warnings[0].startswith("datasets:val:gt_size is ignored: ")


def test_the_top_level_tile_block_of_other_forks_is_that_of_validation():
    loaded = load(OURS + "tile: {tile_size: 128, tile_pad: 8}\n")
    assert (loaded.options.val.tile.tile_size, loaded.options.val.tile.tile_pad) == (128, 8)
    assert "line 20: val:tile:tile_sise: unknown key" in refusal(OURS + "tile: {tile_sise: 1}\n")


@pytest.mark.parametrize(
    "file",
    [
        {"datasets": [1]},
        {"datasets": "x"},
        {"datasets": None, "gt_size": 3},
        {"datasets": {"train": None}, "gt_size": 3},
        {"degradation": "RealESRGAN", "jpeg_range": [1, 2]},
        {"val": 5, "tile": {"tile_size": 64}},
        {"logger": [1]},
    ],
)
def test_blocks_of_the_wrong_kind_are_left_to_the_schema(file):
    assert translate(file).options == file
