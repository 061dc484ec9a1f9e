from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripts import load_script

SCRIPT = load_script("compare_runs")


def run(name: str, seed: int, iteration: int = 9, better: str = "higher", **psnr: float) -> None:
    folder = Path("experiments", name)
    folder.mkdir(parents=True)
    (folder / "config.yml").write_text(
        f"name: {name}\nmanual_seed: {seed}\n"
        f"val: {{metrics: {{psnr: {{type: calculate_psnr, better: {better}}}}}}}\n"
    )
    rows = [
        {
            "iter": iteration,
            "dataset": "val",
            "task": task,
            "network": "net_g",
            "images": 1,
            "psnr": value,
        }
        for task, value in psnr.items()
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(autouse=True)
def _runs() -> None:
    for seed in (0, 1):
        run(f"natural_{seed}", seed, mild=24.0 + seed, hard=20.0)
        run(f"art_{seed}", seed, mild=24.5 + seed, hard=20.1)


def test_runs_are_paired_by_their_seed(capsys: pytest.CaptureFixture[str]) -> None:
    patterns = ["natural=experiments/natural_*", "art=experiments/art_*"]
    assert SCRIPT.main(patterns) == 0
    lines = capsys.readouterr().out.strip().split("\n")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| natural", "| art"]
    assert lines[3].endswith("| +0.100 ±0.000 |")


def test_runs_of_other_lengths_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run("short_0", 0, iteration=5, mild=24.0, hard=20.0)
    run("short_1", 1, mild=24.0, hard=20.0)
    assert SCRIPT.main(["natural=experiments/natural_*", "short=experiments/short_*"]) == 2
    assert "ended at different iterations, 5 (" in capsys.readouterr().err


def test_what_is_better_stands_in_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    run("less_0", 0, better="lower", mild=0.1, hard=0.5)
    assert SCRIPT.main(["less=experiments/less_*"]) == 0
    assert capsys.readouterr().out.strip().endswith("| 0.300 | 0.500 |  |")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["natural=nowhere/*"], "names no run folder"),
        (["experiments/natural_0"], "write NAME=PATTERN"),
        (["x=experiments/*_0"], "two runs of 'x' have the seed 0"),
        (["x=experiments/natural_*", "--metric", "ssim"], "no 'ssim' on 'val'"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT.main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_validation_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("experiments/natural_0/metrics.jsonl").unlink()
    assert SCRIPT.main(["natural=experiments/natural_*"]) == 2
    assert "natural_0' holds no validation" in capsys.readouterr().err
