from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.seal._plans import prepare


@pytest.fixture(autouse=True)
def _prepared(make_images: Callable[..., Path]) -> None:
    prepare(make_images)
