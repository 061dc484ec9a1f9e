from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realsr_mtl.archs import build_network
from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.config import load_options
from realsr_mtl.evaluation.landscape import Landscape
from realsr_mtl.training import TrainingPlan
from tests._options import TINY, write_options
from tests.scripts import load_script

SCRIPT = load_script("define_tasks")


@pytest.fixture
def start(make_images: Callable[..., Path]) -> list[str]:
    make_images("hr", count=3, size=(48, 56))
    make_images("val", count=1, size=(40, 48), first=20)
    make_images("probe", count=2, size=(40, 48), first=40)
    torch.save({"params": build_network(TINY["network_g"], 4, 0).state_dict()}, "start.pth")
    write_options()
    return ["-opt", "tiny.yml", "--force_yml", "path:pretrain_network_g=start.pth"]


def made_up(self: Landscape, network: Any) -> Any:
    """A network that suffers from small second resizes and from strong second noise."""
    table = self.table
    noise = (table["gaussian_sigma2"] > 15) | (table["poisson_scale2"] > 1.4)
    rng = np.random.default_rng(0)
    score = 24 - 2.0 * (table["resize_scale2"] < 0.6) - 1.0 * noise
    return score + 0.2 * rng.normal(size=len(noise))


def test_the_folder_holds_everything_and_the_tasks_can_be_trained_on(
    start: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Landscape, "psnr", made_up)
    assert SCRIPT.main([*start, "--records", "600", "--patches", "2", "--size", "32"]) == 0
    folder = Path("experiments/tiny_tasks")
    with (folder / "measurements.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 600 and {"psnr", "resize_scale2", "jpeg_quality2"} <= rows[0].keys()
    content = json.loads((folder / "capacities.json").read_text())
    assert [c["operator"] for c in content["capacities"]][:2] == ["resize2", "noise2"]
    assert content["explained"] > 0.85 and all(content["rules"].values())
    picture = cv2.imread(str(folder / "capacities.png"))
    assert picture is not None and picture.shape[0] > 300 and picture.std() > 10
    tasks = "tasks={type: Regions, file: experiments/tiny_tasks/tasks.json}"
    plan = TrainingPlan(load_options(Path("tiny.yml"), [tasks]))
    names = plan.tasks(plan.sampler()).names
    assert set(names) == {"mild", "resize2", "noise2", "resize2+noise2"}
    out = capsys.readouterr().out
    assert "ok      explained variance" in out and "resize2+noise2" in out


def test_tasks_that_explain_too_little_are_not_accepted(
    start: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def noise(self: Landscape, network: Any) -> Any:
        return np.random.default_rng(0).normal(size=300)

    monkeypatch.setattr(Landscape, "psnr", noise)
    given = [
        "--records",
        "300",
        "--patches",
        "1",
        "--size",
        "32",
        "--operators",
        "resize1",
        "blur1",
    ]
    assert SCRIPT.main([*start, *given]) == 1
    assert "FAILED  explained variance" in capsys.readouterr().out
    assert Path("experiments/tiny_tasks/tasks.json").is_file()


def test_a_real_network_is_measured(start: list[str]) -> None:
    arguments = ["--records", "60", "--patches", "1", "--size", "32", "--operators", "resize2"]
    assert SCRIPT.main([*start, *arguments, "--output", "out"]) in (0, 1)
    with Path("out/measurements.csv").open() as file:
        scores = [float(row["psnr"]) for row in csv.DictReader(file)]
    assert len(scores) == 60 and np.std(scores) > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["path={}"], "has no path:pretrain_network_g"),
        (["degradation=null", "tasks=null"], "has no 'degradation' block"),
        (["datasets:probe:dataroot_gt=hr"], "also in 'train'"),
        (["name=x", "--records", "3"], "--records must be 50 or more"),
        (["name=x", "--size", "30"], "--size a multiple of scale 4"),
        (["name=x", "--operators", "blurr"], "no operator is called 'blurr'; there are blur1"),
    ],
)
def test_mistakes_are_one_sentence(
    start: list[str], arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT.main([*start, *arguments]) == 2
    assert sentence in capsys.readouterr().err
