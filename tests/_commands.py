"""train.py and test.py as a user starts them: in a process of their own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import realsr_mtl

PACKAGE = Path(realsr_mtl.__file__).parent
Result = subprocess.CompletedProcess[str]


def run_python(*arguments: str | Path, installed: bool = False) -> Result:
    """Run Python in the current folder, with the package on its path or not."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "RANK")}
    environment["OMP_NUM_THREADS"] = "1"
    if installed:
        environment["PYTHONPATH"] = str(PACKAGE.parent)
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def cpu_seconds(*arguments: str | Path) -> tuple[float, Result]:
    """User and system time of a run, and the run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run_python(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result


def assert_refused(result: Result, *parts: str) -> None:
    """Status 2 and one ``error: ...`` sentence that holds all parts."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in result.stderr
