from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from realsr_mtl.archs import ARCHS, build_network, load_weights
from realsr_mtl.config.writer import format_yaml
from tests._inputs import photographs
from tests._oracles import basicsr_module
from tests.scripts import load_script

SCRIPT = load_script("export")

COMPACT = {"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1}
EDSR = {"type": "EDSR", "num_feat": 4, "num_block": 1, "num_in_ch": 3, "num_out_ch": 3}


def run(block: dict[str, Any], scale: int, kind: str, *arguments: str) -> int:
    """Export a network with random weights to ``net.<kind>``."""
    network = build_network(block, scale, seed=1)
    torch.save({"params": network.state_dict()}, "w.pth")
    options = {
        "name": "exported",
        "scale": scale,
        "network_g": block,
        "datasets": {"test": {"type": "LQFolder", "dataroot_lq": "lq"}},
    }
    Path("o.yml").write_text(format_yaml(options))
    given = arguments or ("--weights", "w.pth")
    status: int = SCRIPT.main(["-opt", "o.yml", "--format", kind, "--out", f"net.{kind}", *given])
    return status


def test_safetensors_load_and_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(COMPACT, 4, "safetensors") == 0
    assert "wrote net.safetensors" in capsys.readouterr().out
    with safe_open("net.safetensors", "pt") as file:
        metadata = file.metadata()
    assert (metadata["arch"], metadata["scale"]) == ("SRVGGNetCompact", "4")
    block = json.loads(metadata["options"])
    assert block["num_feat"] == 4 and block["act_type"] == "prelu"
    again = build_network(block, 4, seed=2)
    load_weights(again, "net.safetensors")
    expected = build_network(COMPACT, 4, seed=1).state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in again.state_dict().items())


@pytest.mark.parametrize(
    ("block", "scale", "multiple"),
    [
        (COMPACT, 4, 1),
        ({"type": "RRDBNet", "num_feat": 4, "num_block": 1, "num_grow_ch": 4, "scale": 2}, 2, 2),
        ({"type": "NAFNet", "width": 4, "enc_blk_nums": [1], "dec_blk_nums": [1]}, 1, 8),
        ({**EDSR, "upscale": 3}, 3, 1),
    ],
    ids=["SRVGGNetCompact", "RRDBNet", "NAFNet", "EDSR"],
)
def test_onnx_takes_any_size(
    block: dict[str, Any], scale: int, multiple: int, capsys: pytest.CaptureFixture[str]
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    if block["type"] == "EDSR":
        basicsr_module("archs")
    assert run(block, scale, "onnx") == 0
    printed = capsys.readouterr().out
    assert f"sides: {'any' if multiple == 1 else f'multiples of {multiple}'} from 16" in printed
    assert float(printed.split("PyTorch: ")[1].split()[0]) < 1e-5
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert (metadata["arch"], metadata["multiple"]) == (block["type"], str(multiple))
    network = build_network(block, scale, seed=1).eval()
    for sides in ((2, 3), (5, 4)):
        image = photographs(1, *(16 * side + multiple for side in sides))
        (found,) = session.run(None, {"lq": image.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(found, network(image).numpy(), atol=1e-5)


def test_other_results_are_not_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    for difference in (2e-4, float("nan")):
        monkeypatch.setattr(SCRIPT, "_difference", lambda *_, d=difference: d)
        assert run(COMPACT, 4, "onnx") == 2
        assert "error: SRVGGNetCompact gives other results" in capsys.readouterr().err
    assert not Path("net.onnx").exists()


class Undecided(nn.Module):
    """Does something else with dark images."""

    multiple_of = 64

    def forward(self, x: Tensor) -> Tensor:
        return x if x.mean() > 0.5 else 2 * x


def test_what_cannot_be_exported_ends_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    heads = {"trunk": {"type": "MSRResNet", "num_feat": 4}, "heads": {"sr": {"scale": 4}}}
    assert run({"type": "TaskHeads", **heads}, 4, "onnx") == 2
    error = capfd.readouterr().err
    assert error == "error: TaskHeads has a head for each task and cannot be exported to ONNX\n"
    monkeypatch.setattr(ARCHS, "_lookup", lambda name: Undecided)
    monkeypatch.setattr(SCRIPT, "load_weights", lambda *_: "loaded nothing")
    assert run({"type": "Undecided"}, 1, "onnx") == 2
    error = capfd.readouterr().err
    assert error.startswith("error: Undecided cannot be exported to ONNX: ")
    assert error.count("\n") == 1
    assert not Path("net.onnx").exists()


def test_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run(COMPACT, 4, "onnx") == 2
    error = capsys.readouterr().err
    assert "needs onnxruntime; run pip install 'realsr-mtl[export]'" in error


def test_weights_are_those_of_the_run_then_those_of_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    latest = Path("experiments/exported/models/net_g_latest.pth")
    assert run(COMPACT, 4, "safetensors", "--weights", "none.pth") == 2
    assert "'none.pth' does not exist" in capsys.readouterr().err
    arguments = ["-opt", "o.yml", "--format", "safetensors", "--out", "a/b/net.safetensors"]
    assert SCRIPT.main(arguments) == 2
    assert f"{latest}' does not exist" in capsys.readouterr().err
    with Path("o.yml").open("a") as file:
        file.write("path: {pretrain_network_g: w.pth}\n")
    assert SCRIPT.main(arguments) == 0
    assert "of w.pth" in capsys.readouterr().out
    latest.parent.mkdir(parents=True)
    Path("w.pth").rename(latest)
    assert SCRIPT.main(arguments) == 0
    assert f"of {latest}" in capsys.readouterr().out.replace(str(Path.cwd()) + "/", "")
    assert Path("a/b/net.safetensors").is_file()
