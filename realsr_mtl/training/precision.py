"""Autocast, memory format and the numeric switches of CUDA."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from realsr_mtl.config.schema import TrainOptions
from realsr_mtl.errors import OptionError

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """How the network computes; degradations, losses and metrics are always float32.

    Args:
        train: the ``train`` block.
        device: the training device.

    Raises:
        OptionError: fp16 without a GPU.
    """

    def __init__(self, train: TrainOptions, device: torch.device) -> None:
        self._device = device.type
        self._type = _TYPES.get(train.precision)
        if train.precision == "fp16" and device.type != "cuda":
            raise OptionError("fp16 needs a GPU; use bf16 or float32", ("train", "precision"))
        self.scaler = torch.GradScaler(device.type, enabled=train.precision == "fp16")
        self.memory_format = torch.channels_last if train.channels_last else torch.contiguous_format
        torch.set_float32_matmul_precision("high" if train.tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = train.tf32
        torch.backends.cudnn.benchmark = not train.deterministic
        torch.use_deterministic_algorithms(train.deterministic, warn_only=True)

    def autocast(self) -> AbstractContextManager[object]:
        """Context for the network's forward pass."""
        if self._type is None:
            return nullcontext()
        return torch.autocast(self._device, self._type)
