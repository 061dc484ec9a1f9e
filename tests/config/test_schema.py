import pytest
from pydantic import BaseModel, ValidationError

from realsr_mtl.config import Component, DatasetOptions, Options
from realsr_mtl.config.schema import Block

SMALLEST = {
    "name": "a",
    "scale": 2,
    "datasets": {"val": {"type": "X"}},
    "network_g": {"type": "Net"},
}
TRAIN = {"total_iter": 1, "optim_g": {"type": "Adam"}, "pixel_opt": {"type": "L1Loss"}}


def blocks(model=Block):
    found = [DatasetOptions, *model.__subclasses__()]
    return [m for m in found if m.__module__ == "realsr_mtl.config.schema"]


@pytest.mark.parametrize("model", blocks())
def test_every_key_is_described(model: type[BaseModel]):
    for name, field in model.model_fields.items():
        assert field.description and field.description.endswith("."), name
        assert len(field.description) < 200, name


@pytest.mark.parametrize("model", [m for m in blocks() if m is not DatasetOptions])
def test_blocks_are_closed(model):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        model.model_validate({"no_such_key": 1})


def test_everything_has_a_default_but_name_scale_data_and_network():
    options = Options.model_validate(SMALLEST)
    for key in SMALLEST:
        with pytest.raises(ValidationError, match="Field required"):
            Options.model_validate({k: v for k, v in SMALLEST.items() if k != key})
    assert (options.manual_seed, options.num_gpu, options.train, options.val) == (
        0, "auto", None, None,
    )  # fmt: skip
    assert options.path.experiments_root == "experiments"
    assert options.logger.print_freq == 100


@pytest.mark.parametrize("key", ["path", "logger", "train", "val", "tasks", "strategy"])
def test_an_empty_block_means_its_defaults(key):
    assert Options.model_validate({**SMALLEST, key: None}) == Options.model_validate(SMALLEST)


def test_a_block_of_metrics_may_be_empty():
    assert Options.model_validate({**SMALLEST, "val": {"metrics": None}}).val.metrics == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("name", "a/b"),
        ("name", "a\\b"),
        ("name", ".."),
        ("name", "."),
        ("name", "a:b"),
        ("name", None),
        ("scale", 0),
        ("scale", 1.5),
        ("scale", "x4"),
        ("manual_seed", -1),
        ("manual_seed", 2**32),
        ("num_gpu", "all"),
        ("num_gpu", None),
        ("datasets", None),
        ("datasets", {"trian": {"type": "X"}}),
        ("datasets", {"val": {}}),
        ("datasets", {"val": {"type": "X", "seed": 0.5}}),
        ("datasets", {"val": {"type": "X", "tasks": "some"}}),
        ("datasets", {"train": {"type": "X", "gt_size": 4}}),
        ("datasets", {"train": {"type": "X", "max_failed": 1.5}}),
        ("network_g", "Net"),
        ("network_g", {"num_feat": 3}),
        ("logger", {"print_freq": 0}),
        ("logger", {"save_checkpoint_freq": 5e3 + 0.5}),
        ("val", {"val_freq": 0}),
        ("val", {"tile": {"tile_pad": 4}}),
        ("val", {"metrics": {"psnr": "calculate_psnr"}}),
        ("train", {**TRAIN, "total_iter": 0}),
        ("train", {**TRAIN, "ema_decay": 1}),
        ("train", {**TRAIN, "grad_clip_norm": 0}),
        ("train", {**TRAIN, "precision": "half"}),
        ("resume", "ask"),
    ],
)
def test_a_wrong_value_is_refused(key, value):
    with pytest.raises(ValidationError):
        Options.model_validate({**SMALLEST, key: value})


@pytest.mark.parametrize(
    ("block", "key", "given", "found"),
    [
        ("train", "total_iter", 4e5, 400000),
        ("train", "ema_decay", 0, 0.0),
        ("val", "val_freq", 5e3, 5000),
        ("val", "save_img", "yes", True),
        ("logger", "use_tb_logger", "off", False),
        ("logger", "save_checkpoint_freq", 1e18, 10**18),
    ],
)
def test_values_that_mean_the_type_are_converted(block, key, given, found):
    values = {**TRAIN, key: given} if block == "train" else {key: given}
    converted = getattr(getattr(Options.model_validate({**SMALLEST, block: values}), block), key)
    assert converted == found
    assert type(converted) is type(found)


def test_a_component_keeps_the_options_of_its_class_as_written():
    block = {"type": "Adam", "lr": "x", "betas": [0.9, None]}
    assert Component.model_validate(block).block() == block


def test_a_data_set_takes_the_keys_of_its_loader_out_of_the_block():
    dataset = DatasetOptions.model_validate({"type": "X", "dataroot_gt": "a", "gt_size": 32.0})
    assert dataset.block() == {"type": "X", "dataroot_gt": "a"}
    assert dataset.gt_size == 32
    assert dataset.batch_size_per_gpu == 16
