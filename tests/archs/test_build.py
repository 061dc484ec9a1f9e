from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from realsr_mtl.archs import (
    ARCHS,
    Limits,
    build_discriminator,
    build_network,
    check_patch,
    count_parameters,
    limits,
)
from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import OptionError, UnavailableError

SMALL = {"type": "MSRResNet", "num_feat": 4, "num_block": 1}
RGB = {"num_in_ch": 3, "num_out_ch": 3}
SWINIR = {
    "type": "SwinIR",
    "upscale": 2,
    "img_size": 8,
    "window_size": 4,
    "depths": [2],
    "embed_dim": 12,
    "num_heads": [2],
    "upsampler": "pixelshuffledirect",
}
HAT = {
    "type": "HAT",
    "upscale": 2,
    "img_size": 16,
    "window_size": 8,
    "depths": [1],
    "embed_dim": 60,
    "num_heads": [2],
    "upsampler": "pixelshuffle",
}


@pytest.mark.parametrize(
    ("block", "scale", "package", "multiple"),
    [
        (SMALL, 4, "realsr_mtl", 1),
        ({"type": "RRDBNet", "num_feat": 4, "num_block": 1, "scale": 2}, 2, "realsr_mtl", 2),
        (SWINIR, 2, "basicsr", 4),
        ({"type": "EDSR", "num_feat": 8, "num_block": 1, "upscale": 3, **RGB}, 3, "basicsr", 1),
        (
            {"type": "RCAN", "num_feat": 16, "num_group": 1, "num_block": 1, "upscale": 2, **RGB},
            2,
            "basicsr",
            1,
        ),
        (HAT, 2, "spandrel", 8),
    ],
)
def test_builds_own_and_foreign_networks(block, scale, package, multiple):
    if package == "basicsr":
        try:
            basicsr.load("archs")
        except UnavailableError as error:
            pytest.skip(str(error))
    network = build_network(block, scale, seed=0)
    assert type(network).__module__.startswith(package)
    assert limits(network).multiple == multiple
    assert network.training
    assert count_parameters(network) == sum(p.numel() for p in network.parameters()) > 0


def test_weights_depend_on_the_seed_only():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = build_network(SMALL, 4, seed=1).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    same, other = (build_network(SMALL, 4, seed=s).state_dict() for s in (1, 2))
    assert all(torch.equal(first[k], same[k]) for k in first)
    assert not torch.equal(first["conv_first.weight"], other["conv_first.weight"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "MSRResnet"}, "network_g:type: .*did you mean 'MSRResNet'"),
        ({"num_feats": 4}, "network_g:num_feats: unknown key.*did you mean 'num_feat'"),
        ({"num_feat": "many"}, "network_g:num_feat: .*valid integer.*'many'"),
        (
            {"num_feat": -4},
            "network_g:num_feat: input should be greater than or equal to 1, found -4",
        ),
        ({"upscale": 2}, "network_g: MSRResNet gives x2 but scale is 4; set .*upscale"),
        ({"upscale": 5}, "network_g: .*1, 2, 3 or 4, found 5"),
        ({"num_in_ch": 1}, r"network_g: MSRResNet does not run.*to have 1 channels"),
        ({"num_in_ch": 1, "num_out_ch": 1}, "network_g: MSRResNet does not run"),
    ],
)
def test_wrong_options_name_key_and_remedy(change, sentence):
    with pytest.raises(OptionError, match=sentence):
        build_network({**SMALL, **change}, 4, seed=0)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (lambda x: x.mean(1, keepdim=True).repeat(1, 1, 4, 4), "not RGB"),
        (lambda x: x.mean((1, 2, 3)), r"turns \[1, 3, h, w\] into \[1\]"),
        (lambda x: x.repeat(1, 1, 2, 4), "but scale is 4; set "),
        (lambda x: (x,), "does not run"),
        (lambda x: {}["absent"], "does not run"),
    ],
)
def test_networks_that_do_not_up_scale_are_refused(monkeypatch, result, sentence):
    class Odd(nn.Module):
        def forward(self, x):
            return result(x)

    monkeypatch.setattr(ARCHS, "_lookup", lambda name: Odd)
    with pytest.raises(OptionError, match=sentence):
        build_network({"type": "Odd"}, 4, seed=0)


@pytest.mark.parametrize("multiple", [1, 8, 24, 64])
def test_networks_are_tried_on_a_small_image_they_accept(monkeypatch, multiple):
    seen = []

    class Windowed(nn.Module):
        window_size = multiple

        def forward(self, x):
            seen.append(x.shape[-2:])
            return x.repeat(1, 1, 2, 2)

    monkeypatch.setattr(ARCHS, "_lookup", lambda name: Windowed)
    build_network({"type": "Windowed"}, 2, seed=0)
    ((height, width),) = seen
    assert height == width <= max(multiple, 48)
    assert height % multiple == 0


@pytest.mark.parametrize(
    ("multiple", "least"), [(1, 1), (1, 5), (2, 2), (4, 4), (8, 32), (16, 16), (32, 32), (64, 64)]
)
def test_limits_that_are_not_stated_are_found(monkeypatch, multiple, least):
    class Silent(nn.Module):
        def forward(self, x):
            if x.shape[-1] % multiple or x.shape[-1] < least:
                raise RuntimeError("shapes cannot be multiplied")
            return x.repeat(1, 1, 2, 2)

    monkeypatch.setattr(ARCHS, "_lookup", lambda name: Silent)
    network = build_network({"type": "Silent"}, 2, seed=0)
    assert network.training
    found = limits(copy.deepcopy(network))
    assert found.multiple == multiple
    assert least <= found.smallest < 2 * least


def test_a_network_that_crops_to_a_multiple_needs_it(monkeypatch):
    class Cropping(nn.Module):
        def forward(self, x):
            side = x.shape[-1] // 8 * 8
            return x[..., :side, :side]

    monkeypatch.setattr(ARCHS, "_lookup", lambda name: Cropping)
    assert limits(build_network({"type": "Cropping"}, 1, seed=0)).multiple == 8


def test_convolutions_of_others_are_worth_another_memory_format():
    block = {"type": "SPAN", "num_in_ch": 3, "num_out_ch": 3, "feature_channels": 8}
    assert limits(build_network(block, 4, seed=0)) == Limits(channels_last=True)
    assert not limits(build_network(HAT, 2, seed=0)).channels_last


@pytest.mark.parametrize(
    ("block", "side"),
    [
        ({"type": "UNetDiscriminatorSN", "num_feat": 2}, 40),
        ({"type": "VGGStyleDiscriminator", "num_feat": 1}, 128),
        ({"type": "PatchDiscriminator", "num_feat": 2, "norm": "spectral"}, 24),
    ],
)
def test_discriminators_depend_on_the_seed_only(block, side):
    before = torch.get_rng_state()
    first, same, other = (build_discriminator(block, s, side).state_dict() for s in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[k], same[k]) for k in first)
    assert not all(torch.equal(first[k], other[k]) for k in first)


@pytest.mark.parametrize(
    ("block", "side", "sentence"),
    [
        ({"type": "UNetDiscriminatorSN"}, 100, r"network_d: UNet.*\(100, 100\) .*multiple of 8"),
        ({"type": "VGGStyleDiscriminator"}, 256, r"network_d: VGG.*be input_size, \(128, 128\)"),
        ({"type": "VGGStyleDiscriminator", "input_size": 96}, 96, "input_size: .*128 or 256"),
        ({"type": "PatchDiscriminator", "num_layers": 4}, 32, "network_d: Patch.*48 or more"),
        ({"type": "UNetDiscriminator"}, 32, "network_d:type: .*did you mean 'UNetDiscriminatorSN'"),
    ],
)
def test_discriminators_that_do_not_fit_the_patches(block, side, sentence):
    with pytest.raises(OptionError, match=sentence):
        build_discriminator(block, 0, side)
    if "Patch" in block["type"]:
        build_discriminator(block, 0)  # without a size nothing is tried


def test_large_patches_are_judged_by_smaller_ones():
    network = build_network({"type": "RRDBNet", "num_feat": 4, "num_block": 1, "scale": 1}, 1, 0)
    for side in (4, 96, 192, 10**6):
        check_patch(network, side)
    for side in (97, 194, 10**6 + 2):
        fitting = side // 4 * 4 + 4
        with pytest.raises(ValueError, match=f"patches of {side} pixels .* it takes {fitting}"):
            check_patch(network, side)


@pytest.mark.parametrize("kind", [128, 256])
def test_a_discriminator_of_one_size_refuses_large_patches(kind):
    block = {"type": "VGGStyleDiscriminator", "num_feat": 2, "input_size": kind}
    for side in (128, 256, 384, 512, 768, 1024, 4096):
        if side == kind:
            build_discriminator(block, 0, side)
        else:
            with pytest.raises(OptionError, match="input_size"):
                build_discriminator(block, 0, side)
