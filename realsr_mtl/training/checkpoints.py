"""Writing and reading checkpoints: whole or not at all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from realsr_mtl.archs.weights import read_content, why_unreadable
from realsr_mtl.errors import UserError
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.writing import write_atomically


def save_atomically(content: Mapping[str, Any], path: Path) -> None:
    """``torch.save`` to a temporary file that then takes the name; a crash leaves the old file."""
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    write_atomically(buffer.getbuffer(), path)


def network_content(network: nn.Module, average: nn.Module | None) -> dict[str, Any]:
    """``{"params": ..., "params_ema": ...}`` on the CPU, as BasicSR writes it."""
    content = {"params": _on_cpu(network)}
    if average is not None:
        content["params_ema"] = _on_cpu(average)
    return content


def check_checkpoint(state: Path) -> None:
    """Read a training state and the weights that belong to it, down to the checksums.

    Raises:
        UserError: a file is missing, cut short or damaged.
    """
    _check_archive(state)
    content = read_state(state)
    weights = weights_beside(state, int(content["iter"]))
    files = [weights]
    if len(content["optimizers"]) > 1:
        files.append(weights.with_name(of_discriminator(weights.name)))
    for file in files:
        if not file.is_file():
            raise UserError(f"'{file}', the weights of '{state}', is missing")
        _check_archive(file)


def newest_checkpoint(folder: RunFolder) -> tuple[Path | None, list[str]]:
    """The newest state that can be gone on from, and why newer ones cannot.

    A folder without states has none: a run may end before its first checkpoint.

    Raises:
        UserError: there are states, and all of them are incomplete.
    """
    reasons: list[str] = []
    for iteration in reversed(folder.iterations()):
        try:
            check_checkpoint(folder.state(iteration))
        except UserError as error:
            reasons.append(str(error))
        else:
            return folder.state(iteration), reasons
    if reasons:
        raise UserError(
            f"no checkpoint in '{folder.root}' is complete ({reasons[0]}); start without "
            "--auto_resume, the folder is then archived"
        )
    return None, []


def read_state(path: Path) -> dict[str, Any]:
    """Read a training state.

    Raises:
        UserError: no such file, or not a training state.
    """
    state = read_as("training state", path)
    needed = {"iter", "optimizers"}
    if not isinstance(state, dict) or not needed <= state.keys():
        raise UserError(f"'{path}' is no training state; it lacks {', '.join(sorted(needed))}")
    return state


def read_as(kind: str, path: Path) -> Any:
    """What is in a file of torch.save; its code is never run.

    Raises:
        UserError: no such file, or one that cannot be read; the sentence names the kind.
    """
    try:
        return read_content(path)
    except FileNotFoundError:
        raise UserError(f"{kind} '{path}' does not exist (seen from {Path.cwd()})") from None
    except Exception as error:  # a damaged file fails in many ways
        raise UserError(f"'{path}' cannot be read as a {kind}: {why_unreadable(error)}") from None


def weights_beside(state: Path, iteration: int) -> Path:
    """The weight file that belongs to a state: ``models/net_g_<iter>.pth`` in the same run."""
    return state.resolve().parent.parent / "models" / f"net_g_{iteration}.pth"


def remove_old(folder: RunFolder, keep: int) -> None:
    """Delete all but the newest ``keep`` numbered checkpoints (0 keeps all)."""
    for iteration in folder.iterations()[:-keep] if keep else []:
        for file in reversed(folder.of_iteration(iteration)):
            file.unlink(missing_ok=True)


def of_discriminator(name: str) -> str:
    """The name of the discriminator's weight file beside the network's."""
    return name.replace("net_g_", "net_d_", 1)


def _check_archive(file: Path) -> None:
    """Compare the checksums inside a file of torch.save, which torch.load does not."""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except FileNotFoundError:
        return  # said better by who reads it
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"'{file}' is cut short or damaged ({error})") from None
    if damaged:
        raise UserError(f"'{file}' is damaged: the checksum of {damaged} is wrong")


def _on_cpu(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
