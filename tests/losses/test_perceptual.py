from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from realsr_mtl.errors import OptionError, UnavailableError
from realsr_mtl.losses import LOSSES, PerceptualLoss
from realsr_mtl.losses.perceptual import gram_matrix
from realsr_mtl.losses.vgg import FILES
from tests._inputs import photographs
from tests._oracles import basicsr_module
from tests.losses._weights import save_vgg, vgg_layers

PAIR = photographs(2, 24, 32), photographs(2, 24, 32, seed=10)
LAYERS = {"conv1_2": 0.1, "conv2_2": 0.5, "relu3_1": 1.0}


@pytest.fixture
def layers(hub: Path) -> nn.Sequential:
    """vgg19 up to its first convolution of the third stage, as a file and as it is."""
    layers = vgg_layers("vgg19", 7)
    save_vgg(layers, hub / FILES["vgg19"])
    return layers


def theirs(layers: nn.Module, monkeypatch: pytest.MonkeyPatch, **options: Any) -> nn.Module:
    """BasicSR's loss with the same weights."""
    module = basicsr_module("archs.vgg_arch")
    network = SimpleNamespace(features=copy.deepcopy(layers))
    monkeypatch.setattr(module, "vgg", SimpleNamespace(vgg19=lambda **_: network))
    return basicsr_module("losses.basic_loss").PerceptualLoss(LAYERS, **options)


@pytest.mark.parametrize("norm", [{}, {"use_input_norm": False}, {"range_norm": True}])
def test_its_mean_is_basicsrs_loss(layers, monkeypatch, norm: dict[str, bool]):
    options = {"perceptual_weight": 0.7, "style_weight": 20.0, **norm}
    percep, style = theirs(layers, monkeypatch, **options)(*PAIR)
    loss = PerceptualLoss(layer_weights=LAYERS, **options)(*PAIR)
    assert loss.shape == (2,)
    assert style > 0.02
    torch.testing.assert_close(loss.mean(), percep + style)


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 3.0)])
def test_the_norm_of_a_batch_of_one_is_basicsrs(layers, monkeypatch, weights):
    options = dict(zip(("perceptual_weight", "style_weight"), weights, strict=True))
    reference = theirs(layers, monkeypatch, criterion="fro", **options)
    loss = PerceptualLoss(layer_weights=LAYERS, criterion="fro", **options)
    expected = [
        sum(part for part in reference(x[None], y[None]) if part is not None)
        for x, y in zip(*PAIR, strict=True)
    ]
    torch.testing.assert_close(loss(*PAIR), torch.stack(expected))


def test_the_gradient_is_basicsrs(layers, monkeypatch):
    reference = theirs(layers, monkeypatch, style_weight=20.0)
    loss = PerceptualLoss(layer_weights=LAYERS, style_weight=20.0)
    image = PAIR[0].clone().requires_grad_()
    (expected,) = torch.autograd.grad(sum(reference(image, PAIR[1])), image)
    (gradient,) = torch.autograd.grad(loss(image, PAIR[1]).mean(), image)
    torch.testing.assert_close(gradient, expected)


def test_transweathers_loss_by_hand(tmp_path: Path):
    """art.md 6.4: vgg16, mean over relu1_2, relu2_2, relu3_3 of the MSE, no normalisation."""
    layers = vgg_layers("vgg16", 9)
    loss = PerceptualLoss(
        layer_weights=dict.fromkeys(("relu1_2", "relu2_2", "relu3_3"), 1 / 3),
        vgg_type="vgg16",
        use_input_norm=False,
        criterion="l2",
        weights=str(save_vgg(layers, tmp_path / "vgg16.pth")),
        loss_weight=0.04,
    )
    for sample in range(2):
        x, y = (image[sample : sample + 1].clone() for image in PAIR)
        errors = []
        for place, layer in enumerate(layers):
            x, y = layer(x), layer(y)
            if place in (3, 8, 15):  # the places that perceptual losses of vgg16 are known by
                errors.append(((x - y) ** 2).mean())
        value = loss(*(image[sample : sample + 1] for image in PAIR))
        torch.testing.assert_close(value[0], 0.04 * sum(errors) / 3)


@pytest.mark.parametrize("criterion", ["l1", "l2", "fro"])
def test_gradient_by_differences(layers, criterion: str):
    loss = PerceptualLoss(layer_weights={"conv2_1": 1}, style_weight=9, criterion=criterion)
    loss.double()
    images = [image[:, :, :4, :6].double() for image in PAIR]
    function = lambda x: loss.compare(x, images[1])  # noqa: E731
    assert torch.autograd.gradcheck(function, images[0].requires_grad_(), fast_mode=True)


@pytest.mark.parametrize("criterion", ["l1", "l2", "fro"])
def test_equal_images_have_no_gradient(layers, criterion: str):
    loss = PerceptualLoss(layer_weights=LAYERS, style_weight=1, criterion=criterion)
    image = PAIR[0].clone().requires_grad_()
    value = loss(image, image.detach())
    value.sum().backward()
    assert value.abs().max() < 1e-5
    assert image.grad is not None and image.grad.abs().max() < 1e-5


def test_the_target_has_no_graph(layers):
    loss, seen = PerceptualLoss(layer_weights=LAYERS), []
    loss.network.register_forward_hook(lambda *a: seen.append(a[2]["conv1_2"].requires_grad))
    target = PAIR[1].clone().requires_grad_()
    loss(PAIR[0].clone().requires_grad_(), target).sum().backward()
    assert target.grad is None
    assert sorted(seen) == [False, True]


def test_gram_matrix_by_hand():
    features = torch.tensor([[1.0, 2.0], [3.0, -1.0]]).view(1, 2, 1, 2)
    expected = Tensor([[[5.0, 1.0], [1.0, 10.0]]]) / 4
    torch.testing.assert_close(gram_matrix(features), expected)


def test_options(hub: Path):
    def build(**options: Any) -> None:
        LOSSES.build({"type": "PerceptualLoss", **options}, path=("train", "perceptual_opt"))

    with pytest.raises(OptionError, match="perceptual_opt:layer_weights: this key is required"):
        build()
    with pytest.raises(OptionError, match=r"layer_weights names no layer, e\.g\. {conv5_4: 1}"):
        build(layer_weights={})
    with pytest.raises(OptionError, match=r"perceptual_opt: .*no layer 'conv5_5'; did you mean"):
        build(layer_weights={"conv5_5": 1})
    for weights in ((0, 0), (-1, 2)):
        options = dict(zip(("perceptual_weight", "style_weight"), weights, strict=True))
        with pytest.raises(OptionError, match="one of them must be positive"):
            build(layer_weights={"conv1_1": 1}, **options)
    with pytest.raises(UnavailableError, match=r"file 'vgg19-dcbb9e9d\.pth'.*option weights"):
        build(layer_weights={"conv5_4": 1})
