"""Log lines, in BasicSR's form with throughput, time split and memory added."""

from __future__ import annotations

import datetime
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

ROOT = "realsr_mtl"


class _TerminalHandler(logging.Handler):
    """Writes above a progress bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stdout)
        sys.stdout.flush()


class _LogFile(logging.FileHandler):
    """A log file whose errors (a full disk) reach the command instead of a printed traceback."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        raise


def start_logging(file: Path | None, quiet: bool = False) -> logging.Logger:
    """Log to the terminal and to a file; replaces the handlers of an earlier call.

    Args:
        file: log file, or None.
        quiet: for the processes that are not the main one: warnings only, no file.
    """
    logger = logging.getLogger(ROOT)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False
    for handler in list(logger.handlers):
        handler.close()
        logger.removeHandler(handler)
    handlers: list[logging.Handler] = [_TerminalHandler()]
    if file is not None and not quiet:
        handlers.append(_LogFile(file, encoding="utf-8"))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s: %(message)s"))
        logger.addHandler(handler)
    return logger


def training_line(
    name: str,
    epoch: int,
    iteration: int,
    rates: Sequence[float],
    seconds_left: float,
    seconds: Mapping[str, float],
    images_per_second: float,
    memory_gib: float,
    losses: Mapping[str, float],
) -> str:
    """BasicSR's line; ``seconds`` holds the mean step time as total, data, degrade and model."""
    eta = datetime.timedelta(seconds=int(seconds_left))
    lr = "".join(f"{rate:.3e}," for rate in rates)
    split = " ".join(f"{part} {seconds[part]:.3f}" for part in ("degrade", "model"))
    return (
        f"[{name[:5]}..][epoch:{epoch:3d}, iter:{iteration:8,d}, lr:({lr})] "
        f"[eta: {eta}, time (data): {seconds['total']:.3f} ({seconds['data']:.3f}), {split}, "
        f"{images_per_second:.1f} images/s, peak {memory_gib:.2f} GiB] "
        + " ".join(f"{key}: {value:.4e}" for key, value in losses.items())
    )
