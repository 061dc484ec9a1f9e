from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from realsr_mtl.processes import Processes
from realsr_mtl.training.seal import CaseScorer
from tests.training.seal._plans import benchmark, chosen, prepare


@pytest.fixture(autouse=True)
def _prepared(make_images: Callable[..., Path]) -> None:
    prepare(make_images)


@pytest.fixture
def scorer() -> CaseScorer:
    own = benchmark()
    return CaseScorer(own, chosen(own), Processes())


@pytest.fixture
def heard(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    return caplog
