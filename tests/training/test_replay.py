from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.errors import UserError
from realsr_mtl.reporting import read_lines, start_logging
from realsr_mtl.training import train
from realsr_mtl.training.replay import Replay
from tests._options import arguments, write_options
from tests.scripts import load_script
from tests.training._faulty import RELATIVE, ROOT

RUN = Path("experiments/tiny")


pytestmark = pytest.mark.usefixtures("faulty")


def _run(loss: str) -> Path:
    write_options()
    size = "datasets:train:batch_size_per_gpu=2"
    assert train(arguments(loss, size, "train:total_iter=4")) == 0
    start_logging(None)
    return RUN / "nonfinite" / f"{read_lines(RUN / 'nonfinite.jsonl')[0]['iter']}.pth"


def test_a_loss_is_traced_to_the_layer_where_it_begins() -> None:
    file = _run(RELATIVE)
    (found,) = Replay(file)
    line = read_lines(RUN / "nonfinite.jsonl")[0]
    assert found["sample"].startswith(f"{line['index']} of iteration {line['iter']}, image 'img_0")
    assert found["made again"] == "the same LQ patch to the last bit"
    assert json.loads(found["record"]) == line["record"]
    assert found["weights"] == "finite" and found["first output"] == "all outputs are finite"
    assert "l_relative inf" in found["losses"] and found["repeats"] == "yes"


def test_a_gradient_is_traced_to_its_weights() -> None:
    (found,) = Replay(_run(ROOT))
    assert "l_root 0" in found["losses"] and found["repeats"] == "yes"
    assert found["gradients"].startswith("not finite: body.0.weight, body.0.bias, ")


def test_a_network_is_traced_to_the_layer_where_it_begins() -> None:
    file = _run(RELATIVE)
    content = torch.load(file)
    content["net_g"]["params"]["body.2.bias"][3] = torch.inf
    torch.save(content, file)
    (found,) = Replay(file)
    assert found["weights"] == "not finite: body.2.bias"
    assert found["first output"] == "body.2 (Conv2d): 64 of 512 values"  # one channel of 8 x 8


def test_changed_data_is_noticed() -> None:
    file = _run(RELATIVE)
    cv2.imwrite("hr/img_002.png", np.full((48, 56, 3), 200, np.uint8))
    (found,) = Replay(file)
    assert found["made again"].startswith("another LQ patch, by up to")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    file = _run(RELATIVE)
    capsys.readouterr()
    script = load_script("replay")
    assert script.main([str(file)]) == 0
    assert "made again: the same LQ patch" in capsys.readouterr().out
    assert script.main(["nowhere.pth"]) == 2
    assert "'nowhere.pth' does not exist" in capsys.readouterr().err


def test_a_file_away_from_its_run() -> None:
    file = _run(RELATIVE)
    moved = file.rename("away.pth")
    with pytest.raises(UserError, match=r"config\.yml' is missing; 'away\.pth' belongs into"):
        Replay(moved)
