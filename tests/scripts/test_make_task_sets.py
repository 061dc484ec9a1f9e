from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.data import ImageFolder, PairedImages
from realsr_mtl.degradations import DegradationParameters, degrade
from realsr_mtl.degradations.samplers import RealESRGAN
from realsr_mtl.evaluation import EvaluationSet
from realsr_mtl.tasks import Groups
from tests._options import write_options
from tests.scripts import load_script
from tests.tasks.test_groups import GROUPS, write

SCRIPT = load_script("make_task_sets")
COMMAND = ["-opt", "tiny.yml", "--hr", "hr", "--output", "sets/five"]
SETS = Path("sets/five")


@pytest.fixture(autouse=True)
def _prepared(make_images: Callable[..., Path]) -> None:
    make_images("hr", count=3, size=(48, 56))
    write_options(tasks={"type": "Groups", "file": write()}, strategy=None)


def test_every_image_has_a_point_of_every_group() -> None:
    """Point 22: folders, map and checksums."""
    assert SCRIPT.main(COMMAND) == 0
    assert {p.name for p in SETS.iterdir()} == {
        *("G0", "G1", "G3", "images.csv", "records.jsonl", "SHA256SUMS")
    }
    with (SETS / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    grouped = {point for members in GROUPS.values() for point in members}
    for row in rows:
        if row["task"] == "G0":
            assert row["point"].startswith("p") and row["point"] not in grouped
        else:
            assert row["point"] in GROUPS[row["task"]]
    for line in (SETS / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((SETS / name).read_bytes()).hexdigest() == digest
    assert len((SETS / "SHA256SUMS").read_text().splitlines()) == 9


def test_the_records_make_the_same_images_again_and_validation_scores_them() -> None:
    assert SCRIPT.main([*COMMAND, "--seed", "5"]) == 0
    hr = ImageFolder(4, dataroot_gt="hr")
    frozen = EvaluationSet("x", hr, 4, Groups(RealESRGAN(4), file="groups.json"), seed=5)
    for line in (SETS / "records.jsonl").read_text().splitlines():
        record = json.loads(line)
        image, task = record.pop("image"), record.pop("task")
        pairs = PairedImages(4, dataroot_gt="hr", dataroot_lq=str(SETS / task))
        pair = pairs.load(pairs.names.index(image))
        gt = torch.from_numpy(pair.gt.copy()).permute(2, 0, 1)[None]
        lq = degrade(gt.float() / 255, DegradationParameters.from_json([record]))
        assert torch.equal((lq[0] * 255).round().byte(), torch.from_numpy(pair.lq).permute(2, 0, 1))
        entry = next(i for i in range(9) if frozen.describe(i) == (image, task))
        assert torch.equal(frozen.load(entry).lq, lq)


def test_hr_images_that_are_no_multiple_are_written_cut(
    make_images: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    make_images("hr", count=1, size=(50, 59), first=7)
    assert SCRIPT.main(COMMAND) == 0
    assert "1 HR images were cut to multiples of 4" in capsys.readouterr().out
    sizes = {p.name: cv2.imread(str(p)).shape[:2] for p in (SETS / "HR").iterdir()}
    assert sizes["img_007.png"] == (48, 56) and len(sizes) == 4
    whole, cut = (cv2.imread(str(p)) for p in (Path("hr/img_007.png"), SETS / "HR/img_007.png"))
    assert (whole[:48, :56] == cut).all()
    assert len((SETS / "SHA256SUMS").read_text().splitlines()) == 16


def test_any_task_set_and_single_tasks() -> None:
    write_options()
    assert SCRIPT.main([*COMMAND, "--tasks", "mild"]) == 0
    assert {p.name for p in SETS.iterdir() if p.is_dir()} == {"mild"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--tasks", "G9"], "asks for task 'G9'"),
        (["--hr", "nowhere"], "nowhere"),
        (["--seed", "-1"], "--seed must be in"),
        (["--force_yml", "degradation=null", "tasks=null"], "has no 'degradation' block"),
    ],
)
def test_mistakes_are_one_sentence(
    change: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT.main([*COMMAND, *change]) == 2
    assert sentence in capsys.readouterr().err
    assert not SETS.exists()


def test_nothing_is_replaced_unless_asked_and_nothing_is_half_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert SCRIPT.main(COMMAND) == 0
    assert SCRIPT.main(COMMAND) == 2
    assert "exists; choose another --output" in capsys.readouterr().err
    before = (SETS / "SHA256SUMS").read_text()
    Path("hr/img_001.png").write_bytes(b"torn")
    assert SCRIPT.main([*COMMAND, "--overwrite"]) == 2
    assert "img_001.png" in capsys.readouterr().err
    assert (SETS / "SHA256SUMS").read_text() == before
    Path("hr/img_001.png").unlink()
    assert SCRIPT.main([*COMMAND, "--overwrite"]) == 0
    assert len(list((SETS / "G0").iterdir())) == 2
