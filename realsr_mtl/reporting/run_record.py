"""What ran: versions, hardware, command, start and end of every session in a run folder."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from realsr_mtl import __version__
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.writing import write_atomically

FILE = "run.json"

_PACKAGES = ("torch", "torchvision", "numpy", "opencv-python", "basicsr", "torchjd")


@contextmanager
def recorded(
    folder: Path, processes: Processes, total: int, progress: Callable[[], int]
) -> Iterator[None]:
    """Keep a session in ``run.json``: written at its start and at its end, whatever ends it.

    A session without an end is running, or was killed.

    Args:
        folder: the run folder.
        processes: only the main one writes.
        total: iteration at which the run is finished.
        progress: the present iteration.
    """
    if not processes.is_main:
        yield
        return
    session = {
        "command": shlex.join(sys.argv),
        "started": _now(),
        "versions": versions(),
        "hardware": hardware(processes),
        "from_iteration": progress(),
        "total_iterations": total,
    }
    earlier = read_sessions(folder)
    start = time.perf_counter()
    _write(folder, [*earlier, session])
    failure = ""
    try:
        yield
    except BaseException as error:
        # the sentence is for users; of other errors the log has the traceback
        failure = str(error) if isinstance(error, UserError) else type(error).__name__
        raise
    finally:
        reached = progress()
        status = "failed" if failure else "finished" if reached >= total else "stopped"
        session |= {
            "ended": _now(),
            "seconds": round(time.perf_counter() - start, 1),
            "to_iteration": reached,
            "status": status,
        }
        if failure:
            session["failure"] = failure
        _write(folder, [*earlier, session])


def read_sessions(folder: Path) -> list[dict[str, Any]]:
    """The sessions of a run folder, the latest last; none in folders of earlier versions."""
    file = folder / FILE
    if not file.is_file():
        return []
    try:
        return list(json.loads(file.read_text(encoding="utf-8"))["sessions"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"'{file}' is damaged; remove it") from None


def versions() -> dict[str, str]:
    """Of this package, Python, and the packages that numbers may depend on."""
    found = {"realsr_mtl": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # optional
    return found


def hardware(processes: Processes) -> dict[str, Any]:
    """The machine, without its name."""
    found: dict[str, Any] = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": processes.device.type,
        "processes": processes.world_size,
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory_gib"] = round(size / 2**30, 1)
    if processes.device.type == "cuda":
        card = torch.cuda.get_device_properties(processes.device)
        found["gpu"] = card.name
        found["gpu_memory_gib"] = round(card.total_memory / 2**30, 1)
    return found


def _processor() -> str:
    """Its model where the system tells, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _write(folder: Path, sessions: list[dict[str, Any]]) -> None:
    text = json.dumps({"sessions": sessions}, indent=2) + "\n"
    write_atomically(text.encode(), folder / FILE)
