from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import torch
import torchvision

from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.losses.vgg import FILES, VGGFeatures, VGGType, layer_names, weight_file
from tests._inputs import photographs
from tests._oracles import basicsr_module
from tests.losses._weights import save_vgg, vgg_layers

KINDS = get_args(VGGType)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_have_the_names_that_basicsr_gives_them(kind: str):
    module = basicsr_module("archs.vgg_arch")
    names = module.NAMES[kind.removesuffix("_bn")]
    assert layer_names(kind) == (module.insert_bn(names) if kind.endswith("_bn") else names)


@pytest.mark.parametrize("kind", KINDS)
def test_files_have_the_names_that_torchvision_gives_them(kind: str):
    weights = torchvision.models.get_model_weights(kind).IMAGENET1K_V1
    assert weights.url.rsplit("/", 1)[-1] == FILES[kind]


@pytest.mark.parametrize(("kind", "entries"), [("vgg19", 7), ("vgg11_bn", 6), ("vgg13", 6)])
def test_every_layer_is_torchvisions(kind: str, entries: int, tmp_path: Path):
    layers = vgg_layers(kind, entries)
    wanted = layer_names(kind)[: len(layers)]
    features = VGGFeatures(kind, wanted, weights=save_vgg(layers, tmp_path / "vgg.pth"))
    images = photographs(2, 20, 24)
    moments = torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    x = moments(images)
    found = features(images)
    assert list(found) == wanted
    for name, layer in zip(wanted, layers, strict=True):
        x = layer(x.clone())
        torch.testing.assert_close(found[name], x)


def test_a_layer_before_the_activation_is_not_overwritten_by_it(tmp_path: Path):
    file = save_vgg(vgg_layers("vgg11", 3), tmp_path / "vgg.pth")
    every = VGGFeatures("vgg11", layer_names("vgg11")[:5], weights=file)(photographs(1, 8, 8))
    some = VGGFeatures("vgg11", ["conv2_1", "conv1_1"], weights=file)(photographs(1, 8, 8))
    assert list(some) == ["conv1_1", "conv2_1"]
    for name, features in some.items():
        assert features.min() < 0
        torch.testing.assert_close(features, every[name], rtol=0, atol=0)


def test_images_may_be_in_another_range_and_are_normalised_if_wanted(tmp_path: Path):
    file = save_vgg(vgg_layers("vgg11", 1), tmp_path / "vgg.pth")
    image = photographs(1, 8, 8)

    def features(image: torch.Tensor, **options: bool) -> torch.Tensor:
        return VGGFeatures("vgg11", ["conv1_1"], weights=file, **options)(image)["conv1_1"]

    plain = features(image, use_input_norm=False)
    assert not torch.allclose(plain, features(image), atol=0.1)
    for norm in (False, True):
        moved = features(2 * image - 1, use_input_norm=norm, range_norm=True)
        torch.testing.assert_close(moved, features(image, use_input_norm=norm))
    weight = vgg_layers("vgg11", 1)[0]
    torch.testing.assert_close(plain, weight(image), rtol=0, atol=0)


def test_only_what_is_needed_is_built_and_nothing_learns(tmp_path: Path):
    file = save_vgg(vgg_layers("vgg16", 6), tmp_path / "vgg.pth")
    state = torch.get_rng_state()
    features = VGGFeatures("vgg16", ["relu2_1"], weights=file)
    assert torch.equal(torch.get_rng_state(), state)
    sizes = [p.numel() for p in features.parameters()]
    assert sizes == [27 * 64, 64, 576 * 64, 64, 576 * 128, 128]
    assert not any(p.requires_grad for p in features.parameters())
    assert not any(module.training for module in features.modules())


def test_weights_are_looked_for_where_basicsr_and_torch_keep_them(hub: Path, tmp_path: Path):
    with pytest.raises(UnavailableError) as caught:
        weight_file("vgg19")
    sentence = str(caught.value)
    assert "vgg19-dcbb9e9d.pth" in sentence
    assert f"into 'experiments/pretrained_models' or '{hub}'" in sentence
    (hub / FILES["vgg19"]).touch()
    assert weight_file("vgg19") == hub / FILES["vgg19"]
    own = tmp_path / "experiments" / "pretrained_models"
    own.mkdir(parents=True)
    (own / FILES["vgg19"]).touch()
    assert weight_file("vgg19").resolve() == own / FILES["vgg19"]


def test_files_of_half_precision_and_of_old_batch_normalisation(tmp_path: Path):
    layers = vgg_layers("vgg11_bn", 1)
    state = {f"features.{k}": v for k, v in layers.state_dict().items() if "num_batches" not in k}
    torch.save({k: v.half() for k, v in state.items()}, tmp_path / "vgg.pth")
    features = VGGFeatures("vgg11_bn", ["bn1_1"], weights=tmp_path / "vgg.pth")
    assert {p.dtype for p in features.parameters()} == {torch.float32}
    image = photographs(1, 8, 8)
    expected = VGGFeatures("vgg11_bn", ["bn1_1"], weights=save_vgg(layers, tmp_path / "full.pth"))
    torch.testing.assert_close(
        features(image)["bn1_1"], expected(image)["bn1_1"], rtol=0.01, atol=0.01
    )


def test_wrong_files(tmp_path: Path):
    file = save_vgg(vgg_layers("vgg16", 2), tmp_path / "vgg.pth")
    with pytest.raises(UserError, match=r"weights of vgg16: features\.5\.weight is missing"):
        VGGFeatures("vgg16", ["conv2_1"], weights=file)
    with pytest.raises(
        UserError, match=r"'.*vgg\.pth' does not hold the weights of vgg11_bn: feat"
    ):
        VGGFeatures("vgg11_bn", ["bn1_1"], weights=file)
    torch.save({"features.0.weight": torch.zeros(64, 1, 3, 3)}, tmp_path / "grey.pth")
    with pytest.raises(UserError, match=re.escape("of another shape, (64, 1, 3, 3)")):
        VGGFeatures("vgg16", ["conv1_1"], weights=tmp_path / "grey.pth")
    with pytest.raises(UserError, match=r"'nowhere\.pth' does not exist"):
        VGGFeatures("vgg16", ["conv1_1"], weights="nowhere.pth")


def test_wrong_layers_and_small_images(tmp_path: Path):
    with pytest.raises(ValueError, match=r"vgg16 has no layer 'conv3_4'; did you mean 'conv3_3'"):
        VGGFeatures("vgg16", ["conv3_4"])
    file = save_vgg(vgg_layers("vgg11", 6), tmp_path / "vgg.pth")
    features = VGGFeatures("vgg11", ["conv3_1"], weights=file)
    assert features(torch.zeros(1, 3, 4, 9))["conv3_1"].shape == (1, 256, 1, 2)
    with pytest.raises(UserError, match=r"layer conv3_1 needs 4 pixels .*, found \(3, 9\)"):
        features(torch.zeros(1, 3, 3, 9))
