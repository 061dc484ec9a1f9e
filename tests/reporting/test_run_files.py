from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.run_files import RunFiles
from realsr_mtl.reporting.scores import write_scores
from realsr_mtl.reporting.tables import write_csv
from tests.reporting._runs import image_scores, write_run


def test_what_a_run_left_is_read() -> None:
    run = RunFiles(write_run("experiments/tiny", seed=7, better="lower"))
    assert (run.name, run.seed, run.datasets) == ("tiny", "7", ["val"])
    assert run.better == {"psnr": "lower", "ssim": "higher"}
    assert run.masses == {"mild": 0.75, "hard": 0.25}
    assert run.last_iteration("val") == 20
    iteration, rows = run.last_scores("val")
    assert (iteration, len(rows)) == (20, 24)
    assert len(run.bicubic_scores("val")) == 24
    assert run.sessions[0]["status"] == "finished"
    assert len(run.strategy) == len(run.training) == 4


def test_a_test_has_scores_without_an_iteration() -> None:
    root = write_run("results/tiny")
    for file in (*root.glob("*.jsonl"), *root.glob("scores/val_*.csv")):
        file.unlink()
    row = {"iter": None, "dataset": "val", "task": "mild", "network": "net_g", "images": 3}
    write_csv(root / "metrics.csv", [{**row, "psnr": 24.5}])
    write_scores(root, "val", "test", image_scores())
    run = RunFiles(root)
    assert run.validations == [{**row, "psnr": 24.5}]
    assert run.last_scores("val")[0] is None
    assert run.bicubic_scores("val") == []


def test_the_folder_of_an_option_is_found_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFiles(write_run(tmp_path / "experiments/tiny"))
    (tmp_path / "experiments/groups").mkdir()
    assert run.beside("experiments/groups") == Path("experiments/groups")
    monkeypatch.chdir("/")
    assert run.beside("experiments/groups") == tmp_path / "experiments/groups"
    assert run.beside("nowhere") is None


def test_what_is_missing_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"'x' is no folder of train\.py or test\.py"):
        RunFiles(Path("x"))
    root = write_run("old")
    for file in root.glob("scores/*.csv"):
        file.unlink()
    with pytest.raises(UserError, match=r"no scores of single images .*test\.py -opt old/config"):
        RunFiles(root).last_scores("val")
    (root / "config.yml").write_text("- a\n")
    with pytest.raises(UserError, match="is damaged"):
        _ = RunFiles(root).options
