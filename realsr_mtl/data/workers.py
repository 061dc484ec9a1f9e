"""Loader processes: watched while they work, and never left behind or waited for in vain."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from types import FrameType
from typing import Any, Literal, cast

from torch.utils.data import DataLoader

from realsr_mtl.errors import UserError

Start = Literal["fork", "spawn", "forkserver"]
"""How a process starts: as a copy of this one, or as a new one."""

_OF_THE_GROUP = (signal.SIGINT, signal.SIGTERM)
"""Signals that reach all processes of a run at once; it still needs its next batch then."""

_UNSENT = 71
"""Exit status of a loader process that could not send a batch."""

_REASONS: dict[str | int, str] = {
    "SIGKILL": "was killed, as the system does when memory runs out; lower "
    "datasets:train:num_worker_per_gpu or batch_size_per_gpu",
    "SIGBUS": "found no shared memory; enlarge /dev/shm (docker run --shm-size=8g) or lower "
    "datasets:train:num_worker_per_gpu",
    _UNSENT: "could not send its batch; the reason stands above",
}
"""What a signal or an exit status means and what to do about it."""

_MOMENT = 0.5
"""Seconds that a process which is ending may take."""

_PATIENCE = 5.0
"""Seconds to wait for a killed process, which a hanging disk may hold up."""


_abandoned: list[Any] = []


def loaded(loader: DataLoader[Any]) -> Iterator[Any]:
    """What a loader loads, from processes that are ended with this iterator or with Python.

    torch finds a dead process after seconds, by an exception wherever the main thread is, or never
    if it died while it wrote. Here its death shows at once, and where a batch is asked for.

    Raises:
        UserError: a process died.
    """
    if not loader.num_workers:
        yield from loader
        return
    iterator, workers = _started(loader)
    owner, end = os.getpid(), partial(_kill, workers)
    atexit.register(end)  # before multiprocessing waits for processes that ignore its SIGTERM
    try:
        while True:
            with _watched(workers):
                try:
                    _check(workers)
                    batch = next(iterator)
                except StopIteration:
                    return
                except Exception:
                    _await_an_end(workers)
                    _check(workers)
                    raise
            yield batch
    finally:
        if os.getpid() == owner:  # no copy of this process
            if all(worker.exitcode is None for worker in workers):
                iterator._shutdown_workers()  # asks them to end
            else:
                _abandoned.append(iterator)  # its end could wait for a lock that a dead one held
            _kill(workers)
            atexit.unregister(end)


def prepare(worker: int) -> None:
    """What every loader process does first."""
    for number in _OF_THE_GROUP:
        signal.signal(number, signal.SIG_IGN)
    # a batch that cannot be sent would be dropped, and waited for in vain
    Queue._on_queue_feeder_error = staticmethod(_end_unsent)  # type: ignore[attr-defined]


def _end_unsent(error: BaseException, batch: Any) -> None:
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(_UNSENT)


def _started(loader: DataLoader[Any]) -> tuple[Any, list[BaseProcess]]:
    others = set(multiprocessing.active_children())
    start = (loader.multiprocessing_context or multiprocessing).get_start_method()
    try:
        with _handler_kept(), _signals_delayed(start):  # torch's would raise wherever we are
            iterator = cast(Any, iter(loader))
    except Exception as error:
        _kill([p for p in multiprocessing.active_children() if p not in others])
        if isinstance(error, OSError):
            raise UserError(
                f"a loader process cannot be started ({error}); lower "
                "datasets:train:num_worker_per_gpu"
            ) from error
        raise
    return iterator, list(iterator._workers)


@contextmanager
def _signals_delayed(start: str) -> Iterator[None]:
    """Ctrl-C and SIGTERM wait meanwhile; and in processes that start, until `prepare`."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    if start != "fork":
        resource_tracker.ensure_running()  # whose start would let the signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_GROUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _await_an_end(workers: Sequence[BaseProcess]) -> None:
    """A lost connection shows a moment before the end of the process that held it."""
    closed = wait([worker.sentinel for worker in workers], _MOMENT)
    for worker in workers:
        if worker.sentinel in closed:  # which is before it can be waited for
            worker.join(_MOMENT)


def _check(workers: Sequence[BaseProcess]) -> None:
    for worker in workers:
        status = worker.exitcode
        if status is not None:
            raise UserError(f"loader process {worker.pid} {_reason(status)}")


def _reason(status: int) -> str:
    signals = {-known.value: known.name for known in signal.Signals}
    cause = signals.get(status, status)
    if cause in _REASONS:
        return _REASONS[cause]
    how = f"ended with status {cause}" if isinstance(cause, int) else f"crashed ({cause})"
    return f"{how}; datasets:train:num_worker_per_gpu: 0 loads in the main process and shows where"


def _kill(workers: Sequence[BaseProcess]) -> None:
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join(_PATIENCE)


@contextmanager
def _watched(workers: Sequence[BaseProcess]) -> Iterator[None]:
    """While a batch is waited for, the end of a process is an error at once."""

    def ended(number: int, frame: FrameType | None) -> None:
        if callable(before):
            before(number, frame)
        _check(workers)

    with _handler_kept() as before:
        if before is not None:
            signal.signal(signal.SIGCHLD, ended)
        yield


@contextmanager
def _handler_kept() -> Iterator[Callable[..., Any] | int | None]:
    """Whatever sets a handler for the end of processes here, the present one comes back.

    None where handlers cannot be set: outside the main thread and on Windows.
    """
    there = hasattr(signal, "SIGCHLD") and (threading.current_thread() is threading.main_thread())
    before = signal.getsignal(signal.SIGCHLD) if there else None
    try:
        yield before
    finally:
        if before is not None:
            signal.signal(signal.SIGCHLD, before)
