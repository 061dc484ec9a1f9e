from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes, _first_node, start_processes

ROOT = Path(__file__).parents[1]
NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_NODELIST")


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


def test_one_process_is_its_own_group() -> None:
    processes = start_processes("none", "auto")
    assert processes == Processes(0, 1, torch.device("cpu"))
    tensor = torch.ones(2)
    assert processes.gather("x") == ["x"]
    assert processes.broadcast("x") == "x"
    assert processes.sum(tensor) is tensor
    processes.barrier()


@pytest.mark.parametrize(
    ("launcher", "num_gpu", "sentence"),
    [
        ("none", 1, "num_gpu=0"),
        ("pytorch", 0, "torchrun --nproc_per_node"),
        ("slurm", 0, "SLURM_PROCID.*srun"),
    ],
)
def test_mistakes(launcher: str, num_gpu: int, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        start_processes(launcher, num_gpu)


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(UserError, match="process 1 has no GPU"):
        start_processes("none", "auto")


SCRIPT = """
import torch
from realsr_mtl.processes import start_processes, stop_processes
p = start_processes("none", 0)
assert p.world_size == 2 and p.is_main == (p.rank == 0)
assert p.gather(p.rank * 10) == [0, 10]
assert p.broadcast(f"from {p.rank}") == "from 0"
own = torch.tensor([p.rank + 1.0])
assert p.sum(own).item() == 3 and own.item() == p.rank + 1
p.barrier()
stop_processes()
open(f"done{p.rank}", "w").close()
"""


def test_two_processes_work_together(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(SCRIPT)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc_per_node=2",
            "two.py",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert sorted(p.name for p in tmp_path.glob("done*")) == ["done0", "done1"]


def test_the_first_node_of_a_slurm_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "scontrol"
    tool.write_text("#!/bin/sh\n[ \"$3\" = 'cn-a-[12,14]' ] && printf 'cn-a-12\\ncn-a-14\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert _first_node("cn-a-[12,14]") == "cn-a-12"
    with pytest.raises(UserError, match="MASTER_ADDR"):
        _first_node("other")
