from pathlib import Path

import pytest

from realsr_mtl.config import Options, load_options
from realsr_mtl.config.writer import format_yaml
from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.training import TrainingPlan
from tests.config._files import BASICSR, OURS, REAL_ESRNET, line_of, load, refusal


def test_a_file_becomes_typed_options():
    loaded = load(OURS, overrides=["manual_seed=7"])
    assert isinstance(loaded.options, Options)
    assert loaded.options.train.optim_g.block() == {"type": "Adam", "lr": 1e-4}
    assert loaded.options.val.val_freq == 5000
    assert (loaded.file, loaded.overrides) == (Path("o.yml"), ["manual_seed=7"])


@pytest.mark.parametrize(
    ("old", "new", "place", "near", "known"),
    [
        ("num_gpu: 0", "num_gpus: 0", "num_gpus", "num_gpu", "manual_seed"),
        ("network_g:", "network_G:", "network_G", "network_g", "model_type"),
        ("total_iter: 10", "total_itr: 10", "train:total_itr", "total_iter", "ema_decay"),
        ("val_freq: 5e3", "val_frq: 5e3", "val:val_frq", "val_freq", "metrics"),
        ("val_freq: 5e3", "tile: {tile_sise: 64}", "val:tile:tile_sise", "tile_size", "tile_pad"),
        ("num_gpu: 0", "path: {strict_lod_g: 1}", "path:strict_lod_g", "strict_load_g", ""),
        ("num_gpu: 0", "logger: {print_frq: 1}", "logger:print_frq", "print_freq", ""),
        ("num_gpu: 0", "strategy: {samplng: 1}", "strategy:samplng", "sampling", ""),
        ("gt_size: 64", "gt_sise: 64", "datasets:train:gt_sise", "gt_size", "dataroot_gt"),
        ("gt_size: 64", "GT_SIZE: 64", "datasets:train:GT_SIZE", "gt_size", "use_rot"),
        ("gt_size: 64", "use_hflp: 1", "datasets:train:use_hflp", "use_hflip", "cache"),
        ("dataroot_gt: hr", "dataroot: hr", "datasets:train:dataroot", "dataroot_gt", "type"),
        ("RealESRGAN}", "RealESRGAN, jpg_range: [1, 2]}", "degradation:jpg_range", "jpeg_range", "")
        ,
        ("upscale: 4", "up_scale: 4", "network_g:up_scale", "upscale", "num_feat"),
        ("lr: 1e-4", "learning: 1, beta: [0, 1]", "train:optim_g:learning", None, "betas"),
        ("lr: 1e-4", "weight_deacy: 0", "train:optim_g:weight_deacy", "weight_decay", "betas"),
        ("L1Loss", "L1Loss, loss_wieght: 1", "train:pixel_opt:loss_wieght", "loss_weight", ""),
        ("crop_border: 4", "crop_boder: 4", "val:metrics:psnr:crop_boder", "crop_border", "better"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_named_with_its_path_its_line_and_the_right_ones(
    old, new, place, near, known
):
    sentence = refusal(OURS, (old, new), plan=True)
    key = place.rpartition(":")[2]
    assert sentence.startswith(f"o.yml, line {line_of(key)}: {place}: unknown key")
    assert near is None or f"did you mean '{near}'? Accepted: " in sentence
    assert known in sentence.partition("Accepted: ")[2].split(", ") or not known


@pytest.mark.parametrize(
    ("old", "new", "place", "near"),
    [
        ("type: ImageFolder\n", "type: ImageFolders\n", "datasets:train:type", "ImageFolder"),
        ("RealESRGAN", "RealESRGNA", "degradation:type", "RealESRGAN"),
        ("type: Adam", "type: adam", "train:optim_g:type", "Adam"),
        ("L1Loss", "L1loss", "train:pixel_opt:type", "L1Loss"),
        ("calculate_psnr", "calculate_pnsr", "val:metrics:psnr:type", "calculate_psnr"),
        ("MSRResNet", "MSRResnet", "network_g:type", "MSRResNet"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(old, new, place, near):
    sentence = refusal(OURS, (old, new), plan=True)
    assert sentence.startswith(f"o.yml, line {line_of(new.strip())}: {place}: no ")
    assert f"did you mean '{near}'? Accepted: " in sentence


@pytest.mark.parametrize(
    ("old", "new", "place", "found"),
    [
        ("\nscale: 4", "\nscale: x4", "scale", "found 'x4'"),
        ("\nscale: 4", "\nscale:", "scale", "found None"),
        ("num_gpu: 0", "num_gpu: two", "num_gpu", "a valid integer or 'auto', found 'two'"),
        ("name: small", "name: 2024", "name", "a valid string, found 2024"),
        ("name: small", "name: a/b", "name", "cannot name a file or folder"),
        ("gt_size: 64", "gt_size: 64.5", "datasets:train:gt_size", "fractional part, found 64.5"),
        ("gt_size: 64", "gt_size: 66", "datasets:train:gt_size", "no multiple of scale 4"),
        ("gt_size: 64", "tasks: [a, 2]", "datasets:train:tasks:1", "found 2"),
        ("gt_size: 64", "tasks: a", "datasets:train:tasks", "'all' or 'natural' or a valid list"),
        ("dataroot_gt: hr", "dataroot_gt:", "datasets:train:dataroot_gt", "or a valid list"),
        ("dataroot_gt: hr", "dataroot_gt: [a, 1]", "datasets:train:dataroot_gt:1", "found 1"),
        ("lr: 1e-4", "lr: high", "train:optim_g:lr", "a valid number, found 'high'"),
        ("lr: 1e-4", "betas: [0.9]", "train:optim_g:betas:1", "required"),
        ("optim_g: {type: Adam, ", "optim_g: {", "train:optim_g:type", "this key is required"),
        ("{type: L1Loss}", "L1Loss", "train:pixel_opt", "a block of 'key: value' lines, found 'L1"),
        ("train:\n  total_iter: 10", "train: ", "train:total_iter", "this key is required"),
        ("{type: calculate_psnr, crop_border: 4}", "PSNR", "val:metrics:psnr", "a block"),
    ],
)
def test_a_wrong_value_is_named_with_its_path_and_line(old, new, place, found):
    sentence = refusal(OURS, (old, new), plan=True)
    line = line_of(new.lstrip("\n"))
    assert sentence.startswith(f"o.yml, line {line}: {place}: ")
    assert found in sentence
    assert "Component" not in sentence and "Options" not in sentence


@pytest.mark.parametrize(
    ("override", "read", "value"),
    [
        ("train:optim_g:lr=1e-5", lambda o: o.train.optim_g.block()["lr"], 1e-5),
        ("manual_seed=7", lambda o: o.manual_seed, 7),
        ("train:total_iter=4e5", lambda o: o.train.total_iter, 400_000),
        ("train:grad_clip_norm=1", lambda o: o.train.grad_clip_norm, 1.0),
        ("logger:use_tb_logger=False", lambda o: o.logger.use_tb_logger, False),
        ("datasets:train:tasks=[a, b]", lambda o: o.datasets["train"].tasks, ["a", "b"]),
        ("val:metrics={}", lambda o: o.val.metrics, {}),
        ("val=~", lambda o: o.val, None),
        ("name='7'", lambda o: o.name, "7"),
    ],
)  # fmt: skip
def test_overrides_are_typed(override, read, value):
    found = read(load(OURS, overrides=[override]).options)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("train:optim_g:lrr=1", "train:optim_g:lrr: unknown key for optimiser 'Adam'"),
        ("train:total_itr=1", "train:total_itr: unknown key; did you mean 'total_iter'?"),
        ("trian:total_iter=1", "trian: unknown key; did you mean 'train'?"),
        ("datasets:trian:type=ImageFolder", "'trian' is no data set"),
        ("datasets:val_2:type=ImageFolder", "datasets:val_2:dataroot_gt: this key is required"),
        ("network_g:num_feet=1", "network_g:num_feet: unknown key"),
        ("train:optim_d:lr=1", "train:optim_d:type: this key is required"),
        ("train:total_iter=many", "valid integer, found 'many'"),
        ("train:optim_g:lr=", "valid number, found None"),
        ("jpeg_range=5", "degradation:jpeg_range: "),
        ("degradation:jpeg_range=5", "degradation:jpeg_range: "),
        ("datasets:train:sinc_prob=x", "degradation:sinc_prob: "),
        ("resize_prob=[1, x, 0]", "degradation:resize_prob:1: "),
        ("gt_size=70", "70 is no multiple of scale 4"),
        ("scale:x=1", "'scale' holds a value, not a block of keys"),
        ("train={total_iter: 5}", "train:optim_g: this key is required"),
        (":a=1", ": unknown key"),
    ],
)
@pytest.mark.parametrize("text", [OURS, REAL_ESRNET])
def test_an_error_in_an_override_names_the_override(text, override, part):
    sentence = refusal(text, overrides=["manual_seed=3", override], plan=True)
    assert sentence.startswith(f"--force_yml '{override}': ")
    assert part in sentence


def test_of_two_overrides_of_one_key_the_last_counts_and_is_named():
    assert load(OURS, overrides=["scale=2", "scale=3"]).options.scale == 3
    assert "'scale=b'" in refusal(OURS, overrides=["scale=a", "scale=b"])


def test_an_error_of_the_file_is_not_blamed_on_an_override_beside_it():
    sentence = refusal(OURS, ("total_iter: 10", "total_itr: 10"), overrides=["train:ema_decay=0"])
    assert sentence.startswith(f"o.yml, line {line_of('total_itr')}: ")


@pytest.mark.parametrize("block", [OURS[OURS.index("train:\n  total") : OURS.index("val:\n")]])
def test_a_file_without_training_is_for_testing_only(block):
    assert load(OURS, (block, "")).options.train is None
    assert refusal(OURS, (block, ""), plan=True).startswith("o.yml: train.py needs a 'train' block")
    assert "'train' block" in refusal(OURS, (block, "train:\n"), plan=True)


def test_debug_names_validates_and_saves_often_but_touches_no_file():
    loaded = load(OURS)
    debug = load_options(loaded.file, debug=True).options
    assert debug.name == "debug_small"
    assert (debug.val.val_freq, debug.logger.print_freq) == (8, 1)
    assert (debug.logger.save_checkpoint_freq, debug.logger.use_tb_logger) == (8, False)
    assert load_options(loaded.file, ["name=debug_x"], debug=True).options.name == "debug_x"
    assert load_options(loaded.file, ["val=~"], debug=True).options.val is None


def test_located_adds_file_and_line_to_later_errors():
    loaded = load(OURS)
    with pytest.raises(UserError) as caught, loaded.located():
        raise OptionError("too high", ("train", "optim_g", "lr"))
    line = line_of("lr:")
    assert str(caught.value) == f"o.yml, line {line}: train:optim_g:lr: too high"
    with pytest.raises(KeyError), loaded.located():
        raise KeyError("ours")


@pytest.mark.parametrize("text", [OURS, BASICSR, REAL_ESRNET])
def test_the_resolved_options_read_back_are_the_same_experiment(text):
    resolved = TrainingPlan(load(text)).resolved()
    again = load(format_yaml(resolved))
    assert again.warnings == []
    assert TrainingPlan(again).resolved() == resolved


def test_merge_keys_spare_repeating_a_data_set():
    options = load(
        OURS,
        ("  val: {type: ImageFolder, dataroot_gt: val}", "  val: &v {<<: *t, dataroot_gt: val}\n"
         "  val_2: {<<: *v, name: other}"),
        ("  train:\n    type", "  train: &t\n    type"),
    ).options  # fmt: skip
    assert options.datasets["val_2"].block() == {"type": "ImageFolder", "dataroot_gt": "val"}


@pytest.mark.parametrize(
    ("new", "place", "part"),
    [
        (f"num_gpu: {10**30}", "num_gpu", "is too large; whole numbers go up to"),
        ('num_gpu: "a\\0b"', "num_gpu", r"holds a control character, '\x00'"),
        ('num_gpu: ["a\\eb"]', "num_gpu:0", r"holds a control character, '\x1b'"),
        ('num_gpu: "\\ud800"', "num_gpu", r"control character, '\ud800'"),
        ('"a\\nb": 1', r"a\nb", "the name of a key holds a control character"),
        (f"num_gpu: {'x' * 4000}", "num_gpu", "xxx ... xxx"),
        (f"num_gpu: {'x' * 5000}", "num_gpu", "the text has more than 4,096 characters: 'xxx"),
    ],
)
def test_what_no_option_means_is_refused_on_one_printable_line(new, place, part):
    sentence = refusal(OURS, ("num_gpu: 0", new))
    assert sentence.startswith(f"o.yml, line 3: {place}: ")
    assert part in sentence
    assert sentence.isprintable()
    assert len(sentence) < 400


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("gt_size: 64", f"gt_size: {10**9}"), "datasets:train:gt_size"),
        (("gt_size: 64", f"gt_size: 64\n    batch_size_per_gpu: {10**12}"), "batch_size_per_gpu"),
        (("total_iter: 10", "total_iter: 1e30"), "train:total_iter"),
        (("total_iter: 10", "total_iter: .nan"), "train:total_iter"),
        (("scale: 4\nnum_gpu", "scale: 1000000\nnum_gpu"), "scale"),
        (("lr: 1e-4", "lr: .nan"), "train:optim_g:lr"),
        (("lr: 1e-4", "lr: 1e999"), "train:optim_g:lr"),
        (("total_iter: 10", "total_iter: 10\n  ema_decay: .nan"), "train:ema_decay"),
        (("crop_border: 4", f"crop_border: {10**12}.5"), "val:metrics:psnr:crop_border"),
    ],
)
def test_absurd_numbers_are_refused(change, place):
    assert f"{place}: " in refusal(OURS, change, plan=True)


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b", "a\\b", "a*", "x" * 200])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: small", "name: {}"),
        ("  val: {", "  val: {name: '{}', "),
        ("  val: {", "  'val{}': {"),
        ("    psnr: {", "    '{}': {"),
        ("  val_freq: 5e3", "  val_freq: 5e3\n  suffix: '{}'"),
        ("  total_iter: 10", "  total_iter: 10\n  losses: {'{}': {type: L1Loss}}"),
    ],
)
def test_what_becomes_a_file_name_leads_nowhere_else(old, new, name):
    sentence = refusal(OURS, (old, new.replace("{}", name)))
    assert "file name" in sentence or "cannot name a file or folder" in sentence
