from __future__ import annotations

import json
from pathlib import Path

import pytest

from realsr_mtl.reporting.scores import ImageRow, write_scores
from tests.reporting._runs import image_scores, write_run
from tests.scripts import load_script

SCRIPT = load_script("compare")


@pytest.fixture(autouse=True)
def _runs() -> None:
    for seed in (0, 1):
        write_run(f"experiments/natural_{seed}", seed=seed)
        write_run(f"experiments/art_{seed}", seed=seed, offset=0.5)


def compare(*arguments: str) -> int:
    return SCRIPT.main([*arguments, "--replicates", "300"])


def test_runs_are_grouped_and_paired_by_their_seed(capsys: pytest.CaptureFixture[str]) -> None:
    methods = ["art=experiments/art_*", "natural=experiments/natural_0,experiments/natural_1"]
    assert compare(*methods, "--baseline", "natural", "-o", "out") == 0
    out = capsys.readouterr().out
    assert "art is better than natural on average by 0.5" in out
    assert "| psnr | natural (2) | art (2) |" in out
    assert "## ssim on val" in out and "No difference: every ssim of art" in out
    assert {p.name for p in Path("out").iterdir()} >= {
        "index.html",
        "comparison.md",
        "comparison.tex",
        "comparison.csv",
    }


def test_a_run_against_itself_has_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("natural_0", "again=experiments/natural_0", "--metric", "psnr") == 0
    assert (
        "No difference: every psnr of again equals that of natural\\_0" in capsys.readouterr().out
    )
    assert Path("results/comparison/index.html").is_file()
    assert compare("natural_0", "natural_0", "--baseline", "natural_0", "--metric", "psnr") == 0
    assert "every psnr of natural\\_0 (again) equals that of" in capsys.readouterr().out


def test_what_is_better_stands_in_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    for name, offset in (("one", 0.0), ("other", 0.5)):
        write_run(f"experiments/{name}", offset=offset, better="lower")
    assert compare("one", "other", "--metric", "psnr") == 0
    out = capsys.readouterr().out
    assert "Lower is better" in out and "other is worse than one" in out


def test_masses_come_from_whichever_run_knows_them(capsys: pytest.CaptureFixture[str]) -> None:
    compare("natural_0", "art_0")
    assert "| mass-weighted |" in capsys.readouterr().out
    for name in ("natural_0", "art_0"):
        for file in ("tasks.json", "scores/masses.json"):
            Path("experiments", name, file).unlink()
    compare("natural_0", "art_0")
    assert "mass-weighted" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["natural=nowhere/*"], "'nowhere/*' names no run folder"),
        (["nothing"], "'nothing' names no run folder"),
        (["experiments"], "'experiments' is no folder of train.py or test.py"),
        (["x=experiments/*_0"], "two runs of 'x' have the seed 0"),
        (["natural_0", "natural_0=experiments/art_0"], "two methods are called 'natural_0'"),
        (["natural_0", "art_0", "--metric", "lpips"], "not every run has 'lpips'; all have psnr"),
        (["natural_0", "art_0", "--baseline", "cdr"], "the baseline 'cdr' is none of natural_0"),
        (["natural_0", "--dataset", "other"], "holds no scores of single images of 'other'"),
        (["natural_0", "--replicates", "5"], "--replicates must be 200 or more"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT.main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_runs_of_other_lengths_or_images_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    write_run("experiments/short", iteration=10)
    assert compare("natural_0", "short") == 2
    assert "ended at different iterations, 10 (" in capsys.readouterr().err
    write_run("experiments/fewer", images=11)
    assert compare("natural_0", "fewer") == 2
    assert "image 'img11' under task 'mild', 'experiments/fewer' was not" in capsys.readouterr().err
    rows = [ImageRow(r.image, r.task, f"x{r.checksum}", r.values) for r in image_scores()]
    write_scores(Path("experiments/art_0"), "val", 20, rows)
    assert compare("natural_0", "art_0") == 2
    assert "has other pixels in 'experiments/art_0'" in capsys.readouterr().err


def test_runs_of_an_earlier_version_learn_how_to_be_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("experiments/natural_0/scores/val_20.csv").unlink()
    assert compare("natural_0", "art_0") == 2
    assert "test.py -opt experiments/natural_0/config.yml" in capsys.readouterr().err
    (record,) = json.loads(Path("experiments/natural_0/run.json").read_text())["sessions"]
    assert record["status"] == "finished"
