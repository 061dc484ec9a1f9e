from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training._faulty import blacken, register


@pytest.fixture
def faulty(images: None, make_images: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses that are not finite on black images, and a training image that is black."""
    register(monkeypatch)
    blacken(make_images)
