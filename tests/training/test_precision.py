from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from realsr_mtl.config.schema import TrainOptions
from realsr_mtl.errors import OptionError
from realsr_mtl.training.precision import Precision

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    benchmark = torch.backends.cudnn.benchmark
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = benchmark


def _train(**options: Any) -> TrainOptions:
    block = {"total_iter": 1, "optim_g": {"type": "Adam"}, "pixel_opt": {"type": "L1Loss"}}
    return TrainOptions.model_validate(block | options)


@pytest.mark.parametrize(("name", "dtype"), [("float32", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast_covers_the_network_only(name: str, dtype: torch.dtype) -> None:
    precision = Precision(_train(precision=name), CPU)
    layer, x = torch.nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2)
    with precision.autocast():
        assert layer(x).dtype == dtype
    assert layer(x).dtype == torch.float32
    assert not precision.scaler.is_enabled()


def test_half_precision_needs_a_gpu() -> None:
    with pytest.raises(OptionError, match=r"train:precision: fp16 needs a GPU"):
        Precision(_train(precision="fp16"), CPU)


def test_switches_are_set() -> None:
    precision = Precision(_train(deterministic=True, channels_last=True, tf32=True), CPU)
    assert precision.memory_format == torch.channels_last
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_float32_matmul_precision() == "high"
    assert torch.backends.cudnn.allow_tf32
    Precision(_train(), CPU)
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.allow_tf32
