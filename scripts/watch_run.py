"""Train for a while and watch the process from outside: memory, open files, threads, log.

    python scripts/watch_run.py -opt options/quickstart.yml --iterations 2000

Starts train.py with the option file (nothing is validated or saved in between, logs come every
fiftieth step), reads the process's numbers from /proc and its log while it is running, and prints
a line for every hundred iterations. Exit status 1 if memory, open files or threads grow after the
first quarter: by more than 5 % and 32 MiB of memory, or by more than 8 files or threads (patches
on their way from a loader process are open files). Linux only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from realsr_mtl.command import run_command  # noqa: E402
from realsr_mtl.errors import UserError  # noqa: E402

_ITERATION = re.compile(r"iter: *([0-9,]+), lr")
_MEMORY = 32.0
_COUNT = 8


class Sample(NamedTuple):
    """What a process uses, its children included: MiB, open files, threads."""

    iteration: int
    memory: float
    files: int
    threads: int


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and watch."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-opt", "--opt", required=True, type=Path, help="the option file")
    parser.add_argument("--iterations", type=int, default=2000, help="steps (default 2000)")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    arguments = parser.parse_args(argv)
    return run_command(lambda: watch(arguments.opt, arguments.iterations, arguments.force_yml))


def watch(file: Path, iterations: int, overrides: Sequence[str]) -> int:
    """Train, print what is seen, and judge it."""
    if not Path("/proc/self/status").exists():
        raise UserError("this command reads /proc, which only Linux has")
    with tempfile.TemporaryDirectory() as folder:
        samples, status = _train(file, iterations, overrides, folder)
    if status:
        return status
    growing = judge(samples, iterations)
    sys.stdout.write("\n".join(growing or ["nothing grows"]) + "\n")
    return 1 if growing else 0


def judge(samples: Sequence[Sample], iterations: int) -> list[str]:
    """What grows after the first quarter."""
    settled = [sample for sample in samples if sample.iteration >= iterations / 4]
    if len(settled) < 4:
        raise UserError(f"the log was seen at {len(settled)} moments only; use more --iterations")
    half = len(settled) // 2
    first, last = settled[:half], settled[half:]
    before, after = (max(s.memory for s in part) for part in (first, last))
    growing = []
    if after - before > max(_MEMORY, 0.05 * before):
        growing.append(f"memory grows: {before:.0f} MiB, then {after:.0f} MiB")
    for name in ("files", "threads"):
        most = [max(getattr(s, name) for s in part) for part in (first, last)]
        if most[1] > most[0] + _COUNT:
            growing.append(f"open {name} grow: {most[0]}, then {most[1]}")
    return growing


def _train(
    file: Path, iterations: int, overrides: Sequence[str], folder: str
) -> tuple[list[Sample], int]:
    quiet = [f"path:{root}={folder}/{root}" for root in ("experiments_root", "tb_root")]
    often = ["logger:print_freq=50", f"logger:save_checkpoint_freq={iterations}"]
    length = [f"train:total_iter={iterations}", f"val:val_freq={iterations}"]
    command = [sys.executable, str(ROOT / "realsr_mtl" / "train.py"), "-opt", str(file)]
    process = subprocess.Popen(
        [*command, "--force_yml", *quiet, *often, *length, *overrides],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if sys.stderr.isatty() else None,
    )
    samples: list[Sample] = []
    sys.stdout.write(f"{'iteration':>9}  {'MiB':>6}  files  threads\n")
    while process.poll() is None:
        time.sleep(0.05)
        logs = list(Path(folder).glob("experiments_root/*/train_*.log"))
        found = _ITERATION.findall(logs[0].read_text(encoding="utf-8")) if logs else []
        at = int(found[-1].replace(",", "")) if found else 0
        if at and at < iterations and (not samples or at > samples[-1].iteration):
            samples.append(_look(process.pid, at))
            if at % 100 == 0:
                own = samples[-1]
                line = f"{own.iteration:>9}  {own.memory:>6.0f}  {own.files:>5}  {own.threads:>7}"
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
    return samples, process.returncode


def _look(pid: int, iteration: int) -> Sample:
    memory, files, threads = 0.0, 0, 0
    for number in [pid, *_children(pid)]:
        folder = Path(f"/proc/{number}")
        try:
            status = dict(
                line.split(":", 1) for line in (folder / "status").read_text().splitlines()
            )
            files += len(list((folder / "fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        memory += int(status.get("VmRSS", "0 kB").split()[0]) / 1024
        threads += int(status.get("Threads", "0"))
    return Sample(iteration, memory, files, threads)


def _children(pid: int) -> list[int]:
    texts = [f.read_text() for f in Path(f"/proc/{pid}/task").glob("*/children")]
    own = [int(number) for text in texts for number in text.split()]
    return [*own, *(inner for child in own for inner in _children(child))]


if __name__ == "__main__":
    raise SystemExit(main())
