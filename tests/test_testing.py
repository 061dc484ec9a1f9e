from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realsr_mtl.archs import build_network
from realsr_mtl.data.reading import decode_as_is
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.reporting import read_lines
from realsr_mtl.reporting.scores import read_masses, read_scores
from realsr_mtl.restoration import restore
from realsr_mtl.testing import test as run_test
from realsr_mtl.training import train
from tests._inputs import photograph
from tests._options import TINY, arguments, write_options

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _trained(make_images: Callable[..., Path]) -> None:
    make_images("hr", count=5, size=(48, 56))
    make_images("val", count=3, size=(40, 48), first=20)
    write_options()
    assert train(arguments("train:total_iter=3")) == 0


def _table(folder: str = "tiny") -> list[dict[str, str]]:
    with Path("results", folder, "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_last_validation_is_reproduced_exactly() -> None:
    assert run_test(arguments()) == 0
    validated = [r for r in read_lines(Path("experiments/tiny/metrics.jsonl")) if r["iter"] != 0]
    for row, expected in zip(_table(), validated, strict=True):
        assert (row["task"], row["network"]) == (expected["task"], expected["network"])
        assert float(row["psnr"]) == expected["psnr"]
        assert float(row["ssim"]) == expected["ssim"]


def test_the_scores_of_single_images_are_those_of_the_last_validation() -> None:
    assert run_test(arguments()) == 0
    tested, trained = Path("results/tiny/scores"), Path("experiments/tiny/scores")
    for ours, theirs in (("test", "3"), ("bicubic", "bicubic")):
        file = tested / f"val_{ours}.csv"
        assert file.read_text() == (trained / f"val_{theirs}.csv").read_text()
    assert len(read_scores(tested / "val_test.csv")) == 6
    assert read_masses(Path("results/tiny")).keys() == {"mild", "noise2"}


def test_it_says_which_weights_it_reads(capsys: pytest.CaptureFixture[str]) -> None:
    run_test(arguments())
    assert "from 'params_ema' of" in capsys.readouterr().out
    run_test(arguments("path:param_key_g=params"))
    assert "from 'params' of" in capsys.readouterr().out
    assert len(list(Path("results").glob("tiny_archived_*"))) == 1


def test_processes_with_uneven_shares_give_the_same_table() -> None:
    run_test(arguments())
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=3"]  # 4 entries
    result = subprocess.run(
        [*command, str(ROOT / "realsr_mtl/test.py"), "-opt", "tiny.yml", "--force_yml",
         "path:results_root=results3"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    three = Path("results3/tiny/metrics.csv").read_text()
    assert three == Path("results/tiny/metrics.csv").read_text()


def _test_file(dataset: dict[str, Any], **val: Any) -> None:
    write_options(
        datasets={"test_1": {"name": "set", **dataset}},
        train=None,
        path={"pretrain_network_g": "experiments/tiny/models/net_g_latest.pth"},
        val={"save_img": True, "suffix": "x4", "metrics": TINY["val"]["metrics"], **val},
    )


def test_paired_sets(make_images: Callable[..., Path]) -> None:
    make_images("lq", count=3, size=(10, 12), first=20)
    _test_file({"type": "PairedImages", "dataroot_gt": "val", "dataroot_lq": "lq"})
    assert run_test(arguments()) == 0
    assert [(r["task"], r["network"], r["images"]) for r in _table()] == [
        ("all", "bicubic", "3"),
        ("all", "net_g", "3"),
    ]
    assert Path("results/tiny/visualization/set/img_020_x4.png").exists()


def test_lq_only_folders_in_tiles(capsys: pytest.CaptureFixture[str]) -> None:
    tile = {"tile_size": 16, "tile_pad": 8}
    _test_file({"type": "SingleImageDataset", "dataroot_lq": "val"}, tile=tile)
    assert run_test(arguments()) == 0
    assert "3 images restored" in capsys.readouterr().out
    written = sorted(p.name for p in Path("results/tiny/visualization/set").iterdir())
    assert written == ["img_020_x4.png", "img_021_x4.png", "img_022_x4.png"]


def _restored(name: str) -> np.ndarray:
    path = Path("results/tiny/visualization/set", f"{name}_x4.png")
    return decode_as_is(path.read_bytes(), name)


def test_lq_only_images_keep_grey_alpha_and_16_bits() -> None:
    photo = photograph(10, 12)
    kinds = {
        "rgb": photo,
        "grey": photo[..., 0],
        "alpha": np.dstack((photo, photo[..., 1])),
        "deep": np.dstack((photo, photo[..., 1])).astype(np.uint16) * 257,
    }
    for name, image in kinds.items():
        write_image(Path(f"lq/{name}.png"), image)
    _test_file({"type": "LQFolder", "dataroot_lq": "lq"})
    assert run_test(arguments()) == 0
    for name, image in kinds.items():
        restored = _restored(name)
        assert restored.dtype == image.dtype
        assert restored.shape == (40, 48, *image.shape[2:])
        same = restore(image, "experiments/tiny/models/net_g_latest.pth")
        assert np.abs(restored.astype(int) - same).max() <= (257 if name == "deep" else 1)


def test_one_image_with_every_option_of_inference(caplog: pytest.LogCaptureFixture) -> None:
    file = "val/img_020.png"
    val = {"precision": "bf16", "self_ensemble": True, "outscale": 1.5, "alpha": "bicubic"}
    _test_file({"type": "LQFolder", "dataroot_lq": file}, tile={"tile_size": 16}, **val)
    assert run_test(arguments()) == 0
    assert _restored("img_020").shape == (60, 72, 3)


def test_tables_of_self_ensembles() -> None:
    _test_file({"type": "ImageFolder", "dataroot_gt": "val"})
    assert run_test(arguments()) == 0
    plain = _table()
    assert run_test(arguments("val:self_ensemble=true")) == 0
    for row, other in zip(_table(), plain, strict=True):
        assert (row["psnr"] == other["psnr"]) == (row["network"] == "bicubic")


def test_heads_restore_the_images_of_their_tasks() -> None:
    trunk = {"type": "MSRResNet", "num_feat": 4, "num_block": 1, "upscale": 1}
    heads = {"noise": {"scale": 1}, "small": {"scale": 4}}
    block = {"type": "TaskHeads", "trunk": trunk, "heads": heads}
    torch.save(build_network(block, 4, 0).state_dict(), "heads.pth")
    dataset = {"name": "set", "type": "LQFolder", "dataroot_lq": "val", "task": "noise"}
    write_options(
        datasets={"test_1": dataset},
        degradation=None,
        tasks=None,
        train=None,
        network_g=block,
        path={"pretrain_network_g": "heads.pth"},
        val={"suffix": "x4"},
    )
    assert run_test(arguments()) == 0
    assert _restored("img_020").shape == (40, 48, 3)
    assert run_test(arguments("datasets:test_1:task=small")) == 0
    assert _restored("img_020").shape == (160, 192, 3)
    with pytest.raises(UserError, match=r"'set' belong to task 'all'.*heads for noise, small"):
        run_test(arguments("datasets:test_1:task=all", "path:results_root=refused"))


def test_images_of_tasks_are_saved_by_task() -> None:
    _test_file({"type": "ImageFolder", "dataroot_gt": "val"})
    run_test(arguments())
    names = {p.name for p in Path("results/tiny/visualization/set").iterdir()}
    assert {"img_020_mild_x4.png", "img_020_noise2_x4.png"} <= names


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["name=other"], "no weights to test"),
        (["path:pretrain_network_g=no.pth"], "'no.pth' does not exist"),
        (["network_g:num_feat=16"], "of another shape.*strict_load_g"),
        (["network_g:num_conv=2"], "missing"),
        (["datasets={train: {type: ImageFolder, dataroot_gt: hr, gt_size: 32}}"], "no data set"),
        (["datasets:val:tasks=[strong]"], "'strong'.*mild, noise2"),
        (["val:outscale=2"], "outscale changes the size.*'val' are compared"),
        (["val:precision=fp16"], "fp16 needs a GPU"),
    ],
)
def test_mistakes_end_in_a_sentence(overrides: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run_test(arguments(*overrides))


def test_check_tests_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_test(arguments(check=True)) == 0
    assert "nothing was tested" in capsys.readouterr().out
    assert not Path("results").exists()
