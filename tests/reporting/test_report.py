from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.errors import UserError
from realsr_mtl.reporting.gallery import Example, Gallery, Tile, write_gallery
from realsr_mtl.reporting.report import write_report
from tests.reporting._runs import lines, write_run
from tests.reporting.test_grouping import write_folder

EVIL = '<script>alert("x")</script>'


def _with_gallery(root: Path, task: str = "mild") -> None:
    picture = root / "report/images/001_lq.png"
    picture.parent.mkdir(parents=True)
    cv2.imwrite(str(picture), np.zeros((8, 8, 3), np.uint8))
    example = Example(task, "img0", "worst", {"psnr": 20.0}, {"psnr": 19.0},
                      [Tile("001_lq.png", "LQ")], {"blur": 1.23456, "kind": "iso"})  # fmt: skip
    write_gallery(Gallery("val", "psnr", 20, ["A note."], [example]), root / "report")


def test_a_report_shows_everything_there_is() -> None:
    root = write_run("run", strategy={"sampling": {"type": "CDR"}, "gradients": {"type": "MGDA"}})
    omega = {"mild": 0.9, "hard": 1.3}
    cosines = {f"cosine_with/{t}": {"mild": 0.2, "hard": -0.1} for t in ("mild", "hard")}
    records = [{"iter": i, "decision": {"omega": omega}} for i in (5, 10)]
    records += [{"iter": i, "loss": omega, "share": omega, **cosines} for i in (15, 20)]
    lines(root / "strategy.jsonl", records)
    _with_gallery(root)
    text = write_report(root).read_text()
    for part in (
        'id="run"', 'id="validation"', 'id="training"', 'id="tasks"', 'id="conflicts"',
        'id="partition"', 'id="examples"', "imbalance index", "mass-weighted mean",
        "where the time went".capitalize(), "psnr 20.000 (bicubic 19.000)", "blur: 1.235",
        "A note.", "options that are not defaults",
    ):  # fmt: skip
        assert part in text, part
    made = {p.name for p in (root / "report").iterdir()}
    assert {"tasks.csv", "validation_val.csv", "imbalance.png", "training_l_pix.png"} <= made
    assert "http://" not in text and "https://" not in text


def test_a_small_report_has_no_examples() -> None:
    root = write_run("run")
    _with_gallery(root)
    assert 'id="examples"' not in write_report(root, small=True).read_text()
    assert 'id="examples"' not in write_report(root, examples=False).read_text()
    assert 'id="examples"' in write_report(root).read_text()


def test_during_a_training_thousands_of_tasks_are_left_out() -> None:
    tasks = [f"t{i}" for i in range(70)]
    root = write_run("run", names=tasks)
    small, full = (write_report(root, small=s).read_text() for s in (True, False))
    assert "The run has more than 64 tasks" in small and "tasks_loss" not in small
    assert "smallest, median and largest values are drawn" in full


def test_names_cannot_become_markup() -> None:
    root = write_run("run", names=(EVIL, "b"), name=EVIL, network_g={"type": EVIL})
    (root / "config_diff.txt").write_text(f"x = '{EVIL}'\n")
    _with_gallery(root, EVIL)
    text = write_report(root).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_groups_are_shown_or_said_to_be_missing() -> None:
    folder = write_folder(Path("experiments/groups"))
    root = write_run("experiments/run", strategy={"grouping": {"folder": str(folder)}})
    assert "Improvement in dB of the tasks of a group" in write_report(root).read_text()
    shutil.rmtree(folder)
    assert "is not here; its figures are left out" in write_report(root).read_text()


def test_a_run_of_an_earlier_version_has_a_report() -> None:
    root = write_run("run")
    for name in ("run.json", "training.jsonl", "scores/val_20.csv", "scores/masses.json"):
        (root / name).unlink()
    assert "There is no run.json" in write_report(root).read_text()
    for name in ("metrics.jsonl", "strategy.jsonl"):
        (root / name).unlink()
    assert 'id="validation"' not in write_report(root).read_text()


def test_a_folder_without_a_run_is_refused() -> None:
    with pytest.raises(UserError, match="is no folder of"):
        write_report(Path("nothing"))
