"""One process among all of a run, started by torchrun, slurm or by hand."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from realsr_mtl.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """Rank, number of processes and device of this process.

    With one process every method is the identity.
    """

    rank: int = 0
    world_size: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - immutable

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0

    def gather(self, value: T) -> list[T]:
        """The values of all processes in rank order, on every process."""
        if self.world_size == 1:
            return [value]
        values: list[Any] = [None] * self.world_size
        dist.all_gather_object(values, value)
        return values

    def sum(self, tensor: Tensor, in_place: bool = False) -> Tensor:
        """Sum of a tensor over the processes; in place where a copy would be too large."""
        if self.world_size > 1:
            tensor = tensor if in_place else tensor.clone()
            dist.all_reduce(tensor)
        return tensor

    def all(self, fact: Tensor) -> bool:
        """Whether a fact, a bool tensor without dimensions, holds on every process."""
        return not bool(self.sum((~fact).int()))

    def broadcast(self, value: T) -> T:
        """The main process's value."""
        if self.world_size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def copy_from_first(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors by those of the main process."""
        if self.world_size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.world_size > 1:
            dist.barrier()


def start_processes(launcher: str, num_gpu: int | Literal["auto"]) -> Processes:
    """Choose the device and join the other processes.

    torchrun is recognised by its environment, whatever ``launcher`` says: several copies that do
    not know of each other would overwrite each other's files.

    Args:
        launcher: none, pytorch (torchrun) or slurm.
        num_gpu: 0 for the CPU, "auto" for a GPU if there is one.

    Raises:
        UserError: a GPU is asked for and there is none, or the launcher's variables are missing.
    """
    if launcher == "slurm":
        _slurm_environment()
    elif launcher == "pytorch" and "RANK" not in os.environ:
        raise UserError(
            "--launcher pytorch finds no torchrun environment; start the command with "
            "'torchrun --nproc_per_node=N realsr_mtl/train.py -opt ...'"
        )
    rank, world_size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    device = _device(num_gpu, int(os.environ.get("LOCAL_RANK", 0)))
    if world_size > 1:
        backend = "nccl" if device.type == "cuda" and dist.is_nccl_available() else "gloo"
        dist.init_process_group(backend, rank=rank, world_size=world_size)
    return Processes(rank, world_size, device)


def stop_processes() -> None:
    """Leave the process group, if there is one."""
    if dist.is_available() and dist.is_initialized():
        gc.collect()  # wrapped networks lie in reference cycles; they must go before their group
        dist.destroy_process_group()


def _device(num_gpu: int | Literal["auto"], local_rank: int) -> torch.device:
    if num_gpu == 0 or (num_gpu == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(
            f"num_gpu is {num_gpu} but torch finds no GPU; set num_gpu: 0 for the CPU (on the "
            "command line: --force_yml num_gpu=0), or check the driver and torch's CUDA build"
        )
    if local_rank >= torch.cuda.device_count():
        raise UserError(
            f"process {local_rank} has no GPU: {torch.cuda.device_count()} are visible; start "
            "fewer processes per node"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


def _slurm_environment() -> None:
    try:
        rank, count = os.environ["SLURM_PROCID"], os.environ["SLURM_NTASKS"]
        nodes = os.environ["SLURM_STEP_NODELIST"]
    except KeyError as error:
        raise UserError(
            f"--launcher slurm finds no {error.args[0]}; start the command with srun"
        ) from None
    os.environ.setdefault("RANK", rank)
    os.environ.setdefault("WORLD_SIZE", count)
    os.environ.setdefault("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0"))
    os.environ.setdefault("MASTER_PORT", "29500")
    if "MASTER_ADDR" not in os.environ:
        os.environ["MASTER_ADDR"] = _first_node(nodes)


def _first_node(nodes: str) -> str:
    """The first host of a list like ``node[01-04,9]``; slurm's own tool knows the notation."""
    try:
        answer = subprocess.run(
            ["scontrol", "show", "hostnames", nodes], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        raise UserError(
            f"scontrol cannot expand the node list '{nodes}'; set MASTER_ADDR to the first node"
        ) from None
    return answer.stdout.split()[0]
