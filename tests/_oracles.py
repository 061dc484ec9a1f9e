"""Other implementations to compare with; a test is skipped where one is not installed."""

from __future__ import annotations

from typing import Any

import pytest

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError


def basicsr_module(name: str) -> Any:
    """``basicsr.<name>``, or skip."""
    try:
        return basicsr.load(name)
    except UnavailableError as error:
        pytest.skip(str(error))
