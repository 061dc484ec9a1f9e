from __future__ import annotations

import os
import pickle
import random
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from realsr_mtl.archs import (
    MSRResNet,
    SRVGGNetCompact,
    build_network,
    load_weights,
    read_weights,
)
from realsr_mtl.errors import UserError
from tests._inputs import photographs
from tests.archs._asserts import basicsr_network

SMALL = {"num_feat": 4, "num_block": 1}
SWINIR = {
    "type": "SwinIR",
    "upscale": 2,
    "depths": [2],
    "embed_dim": 12,
    "num_heads": [2],
    "upsampler": "pixelshuffledirect",
}


def network(seed=0, **options):
    torch.manual_seed(seed)
    return MSRResNet(**{**SMALL, **options})


def save(content, name="net.pth", **options):
    torch.save(content, name, **options)
    return name


def equal(first: nn.Module, second: nn.Module) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.module."])
@pytest.mark.parametrize(
    "wrapper", ["", "params", "params_ema", "params-ema", "state_dict", "model", "generator"]
)
def test_wrapped_and_prefixed_files_load(wrapper, prefix):
    state = OrderedDict((prefix + k, v) for k, v in network(1).state_dict().items())
    file = save({wrapper: state, "iter": 5} if wrapper else state)
    target = network(2)
    sentence = load_weights(target, file)
    assert equal(target, network(1))
    total = len(state)
    assert sentence.startswith(f"loaded {total} of {total} tensors from ")
    assert file in sentence
    assert f"'{wrapper}'" in sentence or not wrapper


@pytest.mark.parametrize(
    ("key", "found"),
    [(None, "params_ema"), ("params_ema", "params_ema"), ("params", "params"), ("x", "params_ema")],
)
def test_the_asked_key_comes_first_and_the_sentence_says_which(key, found):
    both = {"params": network(1).state_dict(), "params_ema": network(2).state_dict()}
    target = network(3)
    assert f"'{found}' of" in load_weights(target, save(both), key)
    assert equal(target, network(1 if found == "params" else 2))


def test_strict_loading_of_a_basicsr_checkpoint():
    theirs = basicsr_network("srresnet_arch", "MSRResNet", **SMALL)
    file = save({"params": theirs.state_dict()}, "net_g_latest.pth")
    target = network(1)
    load_weights(target, file)
    assert equal(target, theirs)


def test_old_torch_format_half_precision_and_parameters_load():
    state = {k: nn.Parameter(v.half()) for k, v in network(1).state_dict().items()}
    target = network(2)
    load_weights(target, save(state, _use_new_zipfile_serialization=False))
    assert target.conv_first.weight.dtype == torch.float32
    torch.testing.assert_close(
        target.conv_first.weight, network(1).conv_first.weight, rtol=1e-3, atol=1e-4
    )


def test_mismatch_names_every_kind_and_the_remedy():
    file = save(network(num_feat=6, num_block=2).state_dict())
    target = network(1)
    with pytest.raises(UserError) as caught:
        load_weights(target, file)
    text = str(caught.value)
    names = "body.1.conv1.bias; body.1.conv1.weight; body.1.conv2.bias"
    assert f"4 unknown (e.g. {names})" in text
    assert "of another shape (e.g. body.0.conv1.bias: (6,) in the file, (4,) in the net" in text
    assert text.count("in the file") == 3
    assert "check type, scale and size in network_g" in text
    assert "strict_load_g" in text
    assert equal(target, network(1))


def test_without_strict_what_fits_is_loaded_and_the_rest_is_said():
    state = network(1).state_dict()
    state["conv_hr.weight"] = torch.zeros(9, 9, 3, 3)
    state["extra"] = state.pop("conv_last.bias")
    target = network(2)
    total = len(target.state_dict())
    sentence = load_weights(target, save(state), strict=False)
    assert f"loaded {total - 2} of {total}" in sentence
    assert "1 missing (e.g. conv_last.bias)" in sentence
    assert "1 unknown (e.g. extra)" in sentence
    assert "1 of another shape (e.g. conv_hr.weight" in sentence
    assert torch.equal(target.conv_first.weight, network(1).conv_first.weight)
    assert torch.equal(target.conv_hr.weight, network(2).conv_hr.weight)


@pytest.mark.parametrize("upscale", [2, 3])
def test_weights_of_another_scale(upscale):
    file = save({"params": network(upscale=upscale).state_dict()})
    with pytest.raises(UserError, match=r"2 missing \(e.g. upconv2.bias; upconv2.weight\).*scale"):
        load_weights(network(), file)


def test_weights_of_another_network():
    file = save({"params": SRVGGNetCompact(num_feat=4, num_conv=1).state_dict()})
    with pytest.raises(UserError, match=r"do not fit MSRResNet: .* missing .* unknown .*network_g"):
        load_weights(network(), file)


def under(prefix, module):
    return {f"{prefix}{k}": v for k, v in module.state_dict().items()}


@pytest.mark.parametrize("prefix", ["net.", "generator.", "module.net.", "model_g."])
def test_one_prefix_before_all_names_is_taken_off(prefix):
    file = save({"state_dict": under(prefix, network(1)), "epoch": 3})
    target = network(2)
    sentence = load_weights(target, file)
    assert equal(target, network(1))
    total = len(target.state_dict())
    assert (
        f"{total} of {total} tensors from '{prefix.removeprefix('module.')}' in 'state_dict'"
        in (sentence)
    )


def test_other_prefixes_are_counted():
    state = under("generator.", network(1)) | under("discriminator.", nn.Linear(2, 2))
    target = network(2)
    assert "(2 tensors have other prefixes)" in load_weights(target, save(state))
    assert equal(target, network(1))


@pytest.mark.parametrize(("key", "seed"), [("net_g", 1), ("net_g_ema", 2), (None, None)])
def test_of_two_prefixes_that_fit_the_key_names_one(key, seed):
    file = save(under("net_g.", network(1)) | under("net_g_ema.", network(2)))
    target = network(3)
    if key is None:
        with pytest.raises(UserError, match=r"several networks \(net_g, net_g_ema\).*param_key_g"):
            load_weights(target, file)
    else:
        load_weights(target, file, key)
        assert equal(target, network(seed))


def test_a_prefix_may_not_hide_a_misfit():
    file = save(under("net.", network(num_feat=6)))
    with pytest.raises(UserError, match="of another shape"):
        load_weights(network(), file)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("prefix", ["", "params_ema.", "module."])
def test_safetensors_whatever_they_are_called(suffix, prefix):
    save_file(under(prefix, network(1)), f"net{suffix}")
    target = network(2)
    assert f"net{suffix}" in load_weights(target, f"net{suffix}")
    assert equal(target, network(1))


def test_cut_and_damaged_safetensors_never_load():
    save_file(network().state_dict(), "net.safetensors")
    code, draw = Path("net.safetensors").read_bytes(), random.Random(0)
    for share in (0.0, 0.001, 0.01, 0.1, 0.5, 0.99):
        Path("cut.safetensors").write_bytes(code[: int(share * len(code))])
        with pytest.raises(UserError, match=r"cut\.safetensors.*damaged|cut\.safetensors.*Ran out"):
            read_weights("cut.safetensors")
    for _ in range(50):
        damaged = bytearray(code)
        damaged[draw.randrange(8)] ^= draw.randrange(1, 256)
        Path("net.safetensors").write_bytes(damaged)
        with pytest.raises(UserError, match="read safely"):
            read_weights("net.safetensors")


def swinir(img_size, window_size=4):
    return build_network({**SWINIR, "img_size": img_size, "window_size": window_size}, 2, seed=0)


def test_masks_for_another_image_size_are_not_asked_for():
    source, target = swinir(16), swinir(8)
    nn.init.normal_(source.conv_first.weight)
    state = source.state_dict()
    masks = [k for k in state if k.endswith(("attn_mask", "relative_position_index"))]
    own = target.state_dict()
    assert any(state[k].shape != own[k].shape for k in masks)
    sentence = load_weights(target, save({"params": state}))
    total = len(state) - len(masks)
    assert f"loaded {total} of {total} tensors" in sentence
    assert "not loaded" not in sentence
    for size in (8, 16, 20):
        image = photographs(1, size, size)
        with torch.no_grad():
            torch.testing.assert_close(target.eval()(image), source.eval()(image))
    load_weights(target, save({k: v for k, v in state.items() if k not in masks}))


def test_another_window_is_a_misfit():
    file = save(swinir(16, window_size=8).state_dict())
    with pytest.raises(UserError, match=r"relative_position_bias_table: .* in the file"):
        load_weights(swinir(16), file)


def test_without_strict_nothing_that_fits_is_still_an_error():
    with pytest.raises(UserError, match=r"no weight in .* fits MSRResNet"):
        load_weights(network(), save({"a": torch.zeros(1)}), strict=False)


class Code:
    def __reduce__(self):
        return os.mkdir, ("broken-in",)


@pytest.mark.parametrize("how", ["zip", "legacy", "pickle"])
def test_a_file_with_code_is_refused_and_not_run(how):
    if how == "pickle":
        Path("evil.pth").write_bytes(pickle.dumps({"params": Code()}, protocol=2))
    else:
        save({"params": Code()}, "evil.pth", _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(UserError, match=r"'evil.pth' .*read safely: .*\.mkdir' and not only tens"):
        read_weights("evil.pth")
    assert not Path("broken-in").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "read safely"),
        (b"hello", "not written by torch.save or safetensors"),
        (b"\x10\0\0\0\0\0\0\0{not really json", "not written by torch.save or safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "not written by torch"),
        (b"<!DOCTYPE html><html></html>", "not written by torch"),
        (b"PK\x03\x04 and no more", "zip archive"),
    ],
)
def test_files_that_are_no_weights(content, sentence):
    Path("net.pth").write_bytes(content)
    with pytest.raises(UserError, match=f"'net.pth' is not a weight file.*{sentence}") as caught:
        read_weights("net.pth")
    assert "weights_only" not in str(caught.value)  # torch advises to switch the protection off


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1, 2], "holds no state dict"),
        ({"epoch": 3, "iter": 20, "optimizers": [{}]}, "holds no state dict"),
        ({"params": {}}, "empty state dict"),
        (torch.zeros(3), "holds no state dict"),
    ],
)
def test_torch_files_without_weights(content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_weights(save(content))


@pytest.mark.parametrize("path", ["absent.pth", "."])
def test_missing_file_and_folder(path):
    with pytest.raises(UserError, match="does not exist" if path != "." else "not a weight file"):
        read_weights(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_cut_files_never_load(zipped):
    code = Path(save(network().state_dict(), _use_new_zipfile_serialization=zipped)).read_bytes()
    for share in (0.01, 0.1, 0.3, 0.5, 0.8, 0.99):
        Path("cut.pth").write_bytes(code[: int(share * len(code))])
        with pytest.raises(UserError, match=r"cut\.pth"):
            read_weights("cut.pth")


def test_damaged_files_give_weights_or_a_sentence():
    file = Path(save({"params": network().state_dict()}, _use_new_zipfile_serialization=False))
    code, draw = file.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(code)
        for _ in range(5):
            damaged[draw.randrange(len(damaged) // 3)] = draw.randrange(256)
        file.write_bytes(damaged)
        try:
            read_weights(file)
        except UserError:
            refused += 1
    assert refused > 75


def test_an_archive_that_unpacks_to_more_than_it_is_is_refused():
    with zipfile.ZipFile("bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * 10**7)
    with pytest.raises(UserError, match=r"bomb.pth.*compressed archive"):
        read_weights("bomb.pth")
