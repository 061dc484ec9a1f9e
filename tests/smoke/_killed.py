"""Runs that are killed again and again: ``python -m tests.smoke._killed COUNT SEED``.

The process imports everything once and trains in forked children, which it kills (SIGKILL) at
random moments; every other one while it writes a file. Disks are made slow, so that there is
something to hit. Prints one JSON line per kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from realsr_mtl.reporting import read_lines
from realsr_mtl.training.checkpoints import newest_checkpoint
from realsr_mtl.training.command import train
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.writing import PART
from tests._options import arguments

INTERVAL = 3
OPTIONS = (
    "strategy={sampling: {type: CDR, every: 4, warmup: 2}, weighting: {type: Art}}",
    "train:scheduler={type: MultiStepLR, milestones: [20, 30], gamma: 0.5}",
    "train:total_iter=36",
    "val:val_freq=9",
    f"logger={{print_freq: 1, save_checkpoint_freq: {INTERVAL}, use_tb_logger: false}}",
)


def fork(work: Callable[[], int]) -> int:
    """Run in a child with a slow disk; returns its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        out = os.open("killed.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        delay, plain = random.Random(os.getpid()), os.fsync

        def slow(file: int) -> None:
            time.sleep(delay.uniform(0, 0.03))
            plain(file)

        os.fsync = slow
        status = work()
    except BaseException:
        traceback.print_exc()
        os.write(2, b"\n")
    finally:
        sys.stderr.flush()
        os._exit(status)


def wait(child: int, until: Callable[[], bool]) -> bool:
    """Whether a child ended by itself, with status 0, before the moment came."""
    while not until():
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            if status:
                raise SystemExit(f"status {status}: {Path('killed.log').read_text()[-2000:]}")
            return True
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main(count: int, seed: int) -> None:
    """Kill, look at what is left, go on; at the end let the last run finish."""
    chance = random.Random(seed)
    kills = runs = 0
    while True:
        name = f"killed{runs}"
        folder = RunFolder(Path("experiments") / name, Path("tb_logger") / name)
        child = fork(lambda: train(arguments(*OPTIONS, f"name={name}", auto_resume=True)))  # noqa: B023
        moment = time.monotonic() + chance.uniform(0.05, 1.5)
        writing = kills % 2 == 1
        last = kills >= count

        def now() -> bool:
            late = time.monotonic() > moment  # noqa: B023
            busy = writing and any(folder.root.glob(f"*/.*{PART}"))  # noqa: B023
            return late and (busy or not writing) and not last  # noqa: B023

        if wait(child, now):
            runs += 1
            if last:
                break
            continue
        kills += 1
        lines = read_lines(folder.root / "strategy.jsonl")
        state, damaged = newest_checkpoint(folder)
        report = {
            "run": name,
            "reached": max((line["iter"] for line in lines), default=0),
            "kept": int(state.stem) if state else 0,
            "damaged": damaged,
            "writing": any(folder.root.glob(f"*/.*{PART}")),
        }
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
