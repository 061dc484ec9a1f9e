from __future__ import annotations

from pathlib import Path

from realsr_mtl.reporting.run_files import RunFiles
from realsr_mtl.reporting.validation_view import view
from tests.reporting._runs import lines, write_run


def test_the_last_table_has_gains_masses_and_summaries() -> None:
    run = RunFiles(write_run("run", offset=0.5))
    found = view(run, "val", Path("out"))
    assert found.table[0] == ["task", "psnr", "ssim", "images", "natural mass"]
    assert [row[0] for row in found.table[1:]] == [
        "mild", "hard", "mean", "mass-weighted mean", "worst", "spread",
    ]  # fmt: skip
    assert found.sums == 4 and found.baseline and found.iteration == 20
    first = run.validations[-2]["psnr"]
    assert found.table[1][1].startswith(f"{first:.3f} (+1.")
    assert found.table[1][3:] == ["12", "0.7500"]
    weighted = 0.75 * first + 0.25 * run.validations[-1]["psnr"]
    assert found.table[4][1].startswith(f"{weighted:.3f} ")


def test_the_map_has_the_baseline_and_every_validation() -> None:
    found = view(RunFiles(write_run("run")), "val", Path("out"))
    heat = found.maps["psnr"]
    assert list(heat.columns) == ["bicubic", "10", "20"]
    assert [name for name, _ in heat.rows] == ["mild", "hard"]
    better = heat.rows[0][1][2].background
    assert int(better[5:], 16) > int(better[1:3], 16)  # blue


def test_curves_need_two_validations() -> None:
    run = RunFiles(write_run("run"))
    assert len(view(run, "val", Path("out")).panels) == 4
    rows = [r for r in run.validations if r["iter"] != 10]
    lines(run.root / "metrics.jsonl", rows)
    assert view(RunFiles(run.root), "val", Path("out")).panels == []


def test_one_task_needs_no_summary_and_a_gap_stays_a_gap() -> None:
    run = RunFiles(write_run("run", names=("single",)))
    found = view(run, "val", Path("out"))
    assert len(found.table) == 2 and found.sums == 0
    rows = [{**r, "psnr": None} if r["network"] == "net_g" else r for r in run.validations]
    lines(run.root / "metrics.jsonl", rows)
    assert view(RunFiles(run.root), "val", Path("out")).table[1][1] == ""
