"""basicsr's metrics, as the reference."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError


def basicsr_metric(module: str, name: str) -> Callable[..., float]:
    """A function of basicsr; skips the test where basicsr cannot be used."""
    try:
        return getattr(basicsr.load(f"metrics.{module}"), name)
    except UnavailableError as error:
        pytest.skip(str(error))
