from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.archs import build_network
from realsr_mtl.strategies.imbalance import read_references
from tests._options import TINY, write_options
from tests.scripts import load_script

SCRIPT = load_script("reference_fits")


@pytest.fixture
def start(make_images: Callable[..., Path]) -> list[str]:
    make_images("hr", count=4, size=(48, 56))
    make_images("val", count=1, size=(40, 48), first=20)
    make_images("probe", count=2, size=(40, 48), first=40)
    torch.save({"params": build_network(TINY["network_g"], 4, 0).state_dict()}, "start.pth")
    write_options()
    options = ["path:pretrain_network_g=start.pth", "train:total_iter=3", "train:optim_g:lr=1e-2"]
    return ["-opt", "tiny.yml", "--force_yml", *options]


def test_references_are_the_better_of_before_and_after(start: list[str], capsys) -> None:
    assert SCRIPT.main(start) == 0
    found = json.loads(Path("experiments/tiny.json").read_text())
    assert found["psnr"].keys() == {"mild", "noise2"}
    for task, value in found["psnr"].items():
        assert value == max(found["baseline"][task], found["fine_tuned"][task])
    assert found["fine_tuned"] != found["baseline"]
    assert read_references("experiments/tiny.json", ["noise2", "mild"]).tolist() == [
        found["psnr"]["noise2"],
        found["psnr"]["mild"],
    ]
    assert "wrote experiments/tiny.json" in capsys.readouterr().out


def test_an_unfinished_file_is_continued_and_another_one_kept(
    start: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path("experiments/tiny.json")
    assert SCRIPT.main(start) == 0
    whole = file.read_text()
    part = json.loads(whole)
    for key in ("psnr", "fine_tuned"):
        del part[key]["noise2"]
    part["fine_tuned"]["mild"] = part["psnr"]["mild"] = 99.0  # would be kept
    file.write_text(json.dumps(part))
    assert SCRIPT.main(start) == 0
    found = json.loads(file.read_text())
    assert found["psnr"]["mild"] == 99.0
    assert found["psnr"]["noise2"] == json.loads(whole)["psnr"]["noise2"]
    for other in ([*start, "manual_seed=9"], start):
        kept = file.read_text()
        assert SCRIPT.main(other) == (2 if other != start else 0)
        assert file.read_text() == kept
    file.write_text("[]")
    assert SCRIPT.main(start) == 2
    assert "holds something else" in capsys.readouterr().err
    assert SCRIPT.main([*start, "--overwrite"]) == 0
    assert file.read_text() == whole


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["path={}"], "has no path:pretrain_network_g"),
        (["path:pretrain_network_g=no.pth"], "'no.pth' does not exist"),
        (["datasets:probe:dataroot_gt=hr"], "probe images are also in 'train'"),
    ],
)
def test_mistakes_are_one_sentence(
    start: list[str], change: list[str], sentence: str, capsys
) -> None:
    assert SCRIPT.main([*start, *change]) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.startswith("error: ")
