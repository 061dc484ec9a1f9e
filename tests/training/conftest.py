from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def images(make_images: Callable[..., Path]) -> None:
    """The folders that tests/_options.py names: ``hr``, ``val`` and ``probe``."""
    make_images("hr", count=5, size=(48, 56))
    make_images("val", count=2, size=(40, 48), first=20)
    make_images("probe", count=2, size=(40, 48), first=40)
