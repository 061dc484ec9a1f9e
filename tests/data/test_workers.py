from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from realsr_mtl.data import ImageDataset, ImageSample, TrainingLoader
from realsr_mtl.data.loader import Patch
from realsr_mtl.data.workers import _reason, loaded, prepare
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of other systems")


class Grey(ImageDataset):
    """Grey images; loading one can do something else instead."""

    has_gt, has_lq = True, False

    def __init__(self, instead=None, side=8):
        self.names = [f"image {i}" for i in range(8)]
        self.instead, self.side = instead, side

    def load(self, position):
        if self.instead is not None:
            self.instead(position)
        level = np.full((self.side, self.side, 3), position, np.uint8)
        return ImageSample(self.names[position], level, None)


def stream(images, workers=2, batch_size=4, **options):
    patch = Patch(size=images.side, smallest=8, scale=1, hflip=False, rot=False)
    options = {"batch_size": batch_size, "workers": workers, **options}
    return iter(TrainingLoader(images, patch, RandomStreams(0), **options))


def children():
    return {process.pid for process in multiprocessing.active_children()}


def in_reasonable_time(start, seconds=20):
    assert time.monotonic() - start < seconds
    assert children() == set()


@pytest.fixture(autouse=True)
def _no_process_is_left():
    handler = signal.getsignal(signal.SIGCHLD)
    yield
    gc.collect()
    assert children() == set()
    assert signal.getsignal(signal.SIGCHLD) is handler


@pytest.mark.parametrize("waiting", [False, True])
def test_a_killed_process_ends_the_run_at_once(waiting):
    def slowly(position):
        time.sleep(0.2)

    batches = stream(Grey(slowly))
    next(batches)
    start = time.monotonic()
    victim = min(children())
    if waiting:  # while the main process waits for a batch, not between two
        script = f"sleep 0.3; kill -KILL {victim}"
        killer = subprocess.Popen(["sh", "-c", script])
    else:
        os.kill(victim, signal.SIGKILL)
    with pytest.raises(UserError, match=rf"^loader process {victim} was killed, .*memory.*lower"):
        for _ in batches:
            pass
    if waiting:
        killer.wait()
    in_reasonable_time(start, 4)  # torch alone looks every five seconds


@pytest.mark.parametrize("delay", [0.001 * i for i in range(12)])
def test_a_process_may_die_at_any_moment(delay):
    batches = stream(Grey(side=100), batch_size=16)  # its last batches are lost on their way
    next(batches)
    killer = threading.Timer(delay, os.kill, (min(children()), signal.SIGKILL))
    killer.start()
    with pytest.raises(UserError, match="was killed"):
        list(batches)
    killer.join()


# torch's half-made iterator stumbles over itself when it is collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_process_that_cannot_be_started_is_a_sentence_and_ends_the_others(monkeypatch):
    start, started = multiprocessing.Process.start, []

    def limited(process):
        if started:
            raise OSError(12, "Cannot allocate memory")
        started.append(process)
        start(process)

    monkeypatch.setattr(multiprocessing.Process, "start", limited)
    with pytest.raises(UserError, match=r"cannot be started .*Cannot allocate memory.*; lower"):
        next(stream(Grey()))
    assert not started[0].is_alive()


def test_all_processes_may_die():
    batches = stream(Grey(), workers=2)
    next(batches)
    start = time.monotonic()
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(UserError, match="was killed"):
        list(batches)
    in_reasonable_time(start)


def test_a_process_that_dies_while_it_loads_is_reported():
    def die(position):
        if position == 5:
            os.kill(os.getpid(), signal.SIGBUS)

    start = time.monotonic()
    with pytest.raises(UserError, match=r"loader process \d+ found no shared memory; .*/dev/shm"):
        list(itertools.islice(stream(Grey(die)), 20))
    in_reasonable_time(start)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (-9, "was killed, as the system does when memory runs out"),
        (-signal.SIGBUS, "found no shared memory"),
        (
            -signal.SIGSEGV,
            r"crashed \(SIGSEGV\); datasets:train:num_worker_per_gpu: 0 loads in the main",
        ),
        (1, "ended with status 1; datasets:train:num_worker_per_gpu: 0"),
    ],
)
def test_every_end_has_a_reason(status, sentence):
    assert re.match(sentence, _reason(status))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_exception_names_the_image_and_keeps_its_traceback(workers):
    def stumble(position):
        if position == 3:
            raise ZeroDivisionError("by zero")

    with pytest.raises(RuntimeError) as caught:
        list(itertools.islice(stream(Grey(stumble), workers), 4))
    shown = f"{caught.getrepr(chain=True)}"
    assert "image 'image 3' (sample " in shown
    assert "ZeroDivisionError: by zero" in shown and "stumble" in shown


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sentence_comes_through_as_it_is(workers):
    def refuse(position):
        raise UserError("'a.lmdb' cannot be opened: lmdb.Error: no\nspace")

    with pytest.raises(UserError) as caught:
        next(stream(Grey(refuse), workers))
    assert str(caught.value) == "'a.lmdb' cannot be opened: lmdb.Error: no space"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_without_shared_memory_is_a_sentence(workers, monkeypatch):
    def full(tensor):
        raise RuntimeError("unable to allocate shared memory(shm)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    with pytest.raises(UserError, match=r"no shared memory .*unable to allocate.*--shm-size"):
        next(stream(Grey(), workers))


class Unsendable:
    def __reduce__(self):
        raise OSError("too many open files")


class Unsent(torch.utils.data.Dataset):
    def __len__(self):
        return 9

    def __getitem__(self, index):
        return Unsendable() if index > 3 else index


def test_a_batch_that_cannot_be_sent_is_not_waited_for_for_ever(capfd):
    start = time.monotonic()
    loader = DataLoader(
        Unsent(),
        num_workers=1,
        batch_size=None,
        worker_init_fn=prepare,
        generator=torch.Generator(),
    )
    with pytest.raises(UserError, match="could not send its batch; the reason stands above"):
        list(loaded(loader))
    in_reasonable_time(start)
    assert "too many open files" in capfd.readouterr().err


def test_processes_end_with_the_iterator():
    batches = stream(Grey())
    next(batches)
    pids = children()
    assert len(pids) == 2
    start = time.monotonic()
    del batches
    in_reasonable_time(start)


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_processes_ignore_the_signals_of_the_group_from_their_birth(start):
    born = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    batches = stream(Grey(), worker_start=start)
    threading.Timer(0.05, interrupt).start()  # spawned ones still import
    assert len(list(itertools.islice(batches, 8))) == 8
    interrupt()
    assert len(list(itertools.islice(batches, 8))) == 8
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == born


def interrupt():
    for pid in children():
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)


SCRIPT = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
from tests.data.test_workers import Grey, children, stream

if __name__ == "__main__":
    kept = stream(Grey())
    next(kept)
    print(*children(), flush=True)
    if sys.argv[1] == "raise":
        raise KeyError("a defect")
    if sys.argv[1] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(("how", "status"), [("leave", 0), ("raise", 1), ("die", -9)])
def test_no_process_outlives_python_or_holds_it_up(how, status):
    root = str(Path(__file__).parents[2])
    Path("run.py").write_text(SCRIPT.format(root=root))
    done = subprocess.run(
        [sys.executable, "run.py", how],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode == status
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 15  # torch's processes look every five seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in pids)
