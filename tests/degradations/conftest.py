from __future__ import annotations

import pytest

from realsr_mtl.degradations.operators import canvas


@pytest.fixture(params=["arrays", "canvas"])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both implementations of the operators; the one for other devices, on CPU tensors."""
    if request.param == "canvas":
        monkeypatch.setattr(canvas, "by_arrays", lambda image: False)
    return str(request.param)
