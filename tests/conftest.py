"""Fixtures of all tests: small images made on the spot, no downloads, one thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.bridges.opencv import cv2
from tests._inputs import photograph


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in a folder of its own, so that no output lands in the repository."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def make_images(tmp_path: Path) -> Callable[..., Path]:
    """Write PNG photographs into a folder: ``make_images("gt", count=3, size=(64, 80))``."""

    def make(name: str, count: int = 3, size: tuple[int, int] = (64, 80), first: int = 0) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(count):
            image = photograph(*size, seed=first + i)
            cv2.imwrite(str(folder / f"img_{first + i:03d}.png"), image[..., ::-1])
        return folder

    return make


@pytest.fixture
def images(make_images: Callable[..., Path]) -> None:
    """The folders that tests/_options.py names: ``hr``, ``val`` and ``probe``."""
    make_images("hr", count=5, size=(48, 56))
    make_images("val", count=2, size=(40, 48), first=20)
    make_images("probe", count=2, size=(40, 48), first=40)
