"""Runs that end at any moment go on from a complete state and lose one interval at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from realsr_mtl.reporting import read_lines
from realsr_mtl.training import train
from tests._options import arguments, write_options
from tests.smoke._killed import INTERVAL, OPTIONS

ROOT = Path(__file__).parents[2]
KILLS = 50


@pytest.fixture(autouse=True)
def _options(images: None) -> None:
    write_options()


@pytest.mark.slow
def test_runs_killed_at_fifty_moments_equal_one_that_was_not() -> None:
    assert train(arguments(*OPTIONS, "name=whole")) == 0
    result = subprocess.run(
        [sys.executable, "-m", "tests.smoke._killed", str(KILLS), "7"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    kills = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(kills) == KILLS
    assert all(not kill["damaged"] for kill in kills)
    assert all(kill["reached"] - kill["kept"] <= INTERVAL for kill in kills)
    assert sum(kill["writing"] for kill in kills) >= 5
    assert sum(0 < kill["kept"] < 36 for kill in kills) >= 5
    finished = sorted(Path("experiments").glob("killed*/training_states/36.state"))
    assert finished
    for state in finished:
        _assert_equal(state.parents[1], Path("experiments/whole"))


def _assert_equal(run: Path, whole: Path) -> None:
    for file in ("metrics.jsonl", "strategy.jsonl"):
        assert read_lines(run / file) == read_lines(whole / file), run
    assert not list(run.glob("*/.*.part"))
    for label in (36, "latest", "best_psnr"):
        one, two = (torch.load(r / "models" / f"net_g_{label}.pth") for r in (run, whole))
        for key in ("params", "params_ema"):
            assert all(torch.equal(t, two[key][n]) for n, t in one[key].items()), (run, label)


def test_a_truncated_newest_state_is_named_and_passed_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train(arguments()) == 0
    folder = Path("experiments/tiny/training_states")
    newest = folder / "6.state"
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert train(arguments(auto_resume=True)) == 0
    out = capsys.readouterr().out
    assert "6.state' is cut short or damaged" in out
    assert "going on from the checkpoint before it" in out and "at iteration 3" in out
    assert (folder / "6.state.superseded").read_bytes() == whole[: len(whole) // 2]
    old, new = (torch.load(f"{folder}/6.state") for _ in range(2))
    assert old["iter"] == new["iter"] == 6


def test_a_run_killed_before_its_first_checkpoint_starts_again() -> None:
    assert train(arguments("logger:save_checkpoint_freq=6")) == 0
    for file in Path("experiments/tiny/training_states").iterdir():
        file.unlink()
    assert train(arguments(auto_resume=True)) == 0
    assert len(list(Path("experiments").glob("tiny_archived_*"))) == 1


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of three megabytes."""
    folder = Path("small").resolve()
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("no permission to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_leaves_old_checkpoints(small_disk: Path) -> None:
    network = "network_g={type: MSRResNet, num_feat: 32, num_block: 2}"  # 200 kB a weight file
    result = subprocess.run(
        [
            sys.executable,
            str(ROOT / "realsr_mtl" / "train.py"),
            *("-opt", "tiny.yml", "--force_yml", network, "train:total_iter=40"),
            *(f"path:experiments_root={small_disk}", "logger:save_checkpoint_freq=1"),
        ],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "the disk is full while writing" in errors[0], result.stderr
    assert "Traceback" not in result.stderr
    states = sorted(small_disk.glob("tiny/training_states/*.state"))
    assert states and not list(small_disk.glob("tiny/*/.*.part"))
    for state in states:
        content = torch.load(state, weights_only=True)
        torch.load(small_disk / "tiny" / "models" / f"net_g_{content['iter']}.pth")
