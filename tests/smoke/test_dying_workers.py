"""A training whose loader process is killed ends with a sentence, and with all its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests._commands import PACKAGE
from tests._options import write_options

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(above) == parent and state != "Z":
            found.append(int(entry.parent.name))
    return found


def within(seconds: float, found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("victim", ["worker", "run"])
def test_a_killed_process_takes_the_run_with_it(
    victim: str, make_images: Callable[..., Path]
) -> None:
    make_images("hr", count=4)
    file = write_options()
    changes = ["datasets:train:num_worker_per_gpu=2", "train:total_iter=100000", "val=null"]
    command = [sys.executable, PACKAGE / "train.py", "-opt", file, "--force_yml", *changes]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with Path("output").open("w+") as output:
        arguments = [*map(str, command), "logger:print_freq=1"]
        with subprocess.Popen(arguments, stdout=output, stderr=output, env=environment) as run:
            try:
                within(60, lambda: "iter:" in Path("output").read_text() or run.poll() is not None)
                workers = children(run.pid)
                assert len(workers) == 2, Path("output").read_text()
                os.kill(workers[0] if victim == "worker" else run.pid, signal.SIGKILL)
                run.wait(timeout=20)
            finally:
                run.kill()
    said = Path("output").read_text()
    if victim == "worker":
        assert run.returncode == 2, said
        assert said.splitlines()[-1].startswith(f"error: loader process {workers[0]} was killed")
        assert "Traceback" not in said
    else:
        assert run.returncode == -signal.SIGKILL
    within(15, lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
