"""Steps that were skipped because something was NaN or infinite: counted, told, kept for replay."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.training.checkpoints import read_as, save_atomically
from realsr_mtl.training.faults import Fault, describe

_logger = logging.getLogger(__name__)

_SAMPLES = 4
"""Samples of each process that are kept of one step."""

_REPLAYS = 5
"""Files for replay, each with the weights of the network, that one run folder gets."""


class SkippedSteps:
    """What is known about the steps that were skipped.

    Args:
        folder: receives ``<iteration>.pth``, for scripts/replay.py.
        processes: this process among all.
        most: steps in a row after which the run stops; 0 stops at the first.
        batch: samples of a step over all processes.

    Attributes:
        in_a_row: since the last step that was made.
        total: of the run.
        suspect: whether the last step was skipped and every sample of it was at fault, or none
            alone: then the weights are more likely to blame than the data. A batch of one sample
            says so only the second time in a row.
    """

    def __init__(self, folder: Path, processes: Processes, most: int, batch: int) -> None:
        self._folder, self._processes = folder, processes
        self._most, self._batch = most, batch
        self.in_a_row = self.total = 0
        self.suspect = False

    def made(self) -> None:
        """A step was made."""
        self.in_a_row, self.suspect = 0, False

    def skipped(
        self, iteration: int, faults: Sequence[Fault], weights: Callable[[], Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """A step was skipped; called by all processes together.

        Args:
            iteration: number of the step, from 1.
            faults: of this process.
            weights: gives the contents of weight files, by the name of the network; asked by the
                main process where they are kept.

        Returns:
            The lines for nonfinite.jsonl.

        Raises:
            UserError: too many steps in a row.
        """
        self.in_a_row += 1
        self.total += 1
        parts = self._processes.gather([fault.entry() for fault in faults])
        kept = self._processes.gather([_content(fault) for fault in faults[:_SAMPLES]])
        entries = [entry for part in parts for entry in part]
        number = len({(entry["index"]) for entry in entries})
        everything = number in (0, self._batch)
        self.suspect = everything and (self._batch > 1 or self.in_a_row > 1)
        file = self._folder / f"{iteration}.pth"
        if self._processes.is_main and entries and len(list(self._folder.glob("*.pth"))) < _REPLAYS:
            samples = [sample for part in kept for sample in part]
            save_atomically({"iter": iteration, "samples": samples, **weights()}, file)
        told = _tell(entries, number)
        if self.in_a_row > self._most:
            raise UserError(self._end(iteration, told, file))
        _logger.warning("step %s is skipped (%d in a row): %s", iteration, self.in_a_row, told)
        return [{"iter": iteration, **entry} for entry in entries] or [{"iter": iteration}]

    def state_dict(self) -> dict[str, int]:
        """The counters."""
        return {"in_a_row": self.in_a_row, "total": self.total}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Inverse of `state_dict`."""
        self.in_a_row, self.total = int(state["in_a_row"]), int(state["total"])

    def _end(self, iteration: int, told: str, file: Path) -> str:
        steps = "a step was" if self.in_a_row == 1 else f"{self.in_a_row} steps in a row were"
        replay = f", look at it with 'python scripts/replay.py {file}'" if file.exists() else ""
        return (
            f"{steps} skipped because of NaN or infinity, the last at iteration {iteration}: "
            f"{told}; lower train:optim_g:lr, set train:grad_clip_norm or use float32, and go on "
            f"from the last checkpoint (--auto_resume){replay}"
        )


def _tell(entries: Sequence[Mapping[str, Any]], number: int) -> str:
    if not entries:
        return "the gradient of the batch is not finite, that of no sample alone"
    others = f", and {number - 1} other samples" if number > 1 else ""
    return describe(entries[0]) + others


def _content(fault: Fault) -> dict[str, Any]:
    """A sample with its pixels, for a file."""
    sample = fault.sample
    pixels: dict[str, Tensor | None] = {
        "lq": sample.lq,
        "gt": sample.gt,
        "key": sample.key,
        "plain": sample.plain,
    }
    tensors = {name: image[0].cpu() for name, image in pixels.items() if image is not None}
    return {**fault.entry(), "task_id": int(sample.task[0]), **tensors}


def read_replay(file: Path) -> dict[str, Any]:
    """The content of a file for replay.

    Raises:
        UserError: no such file, or another kind of file.
    """
    content = read_as("file for replay", file)
    if not isinstance(content, dict) or "samples" not in content:
        raise UserError(f"'{file}' is no file for replay; those are <run folder>/nonfinite/*.pth")
    return content
