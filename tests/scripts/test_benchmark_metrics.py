from __future__ import annotations

import pytest

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError
from tests.scripts import load_script


def test_every_case_agrees_with_basicsr(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        basicsr.load("metrics.psnr_ssim")
    except UnavailableError as error:
        pytest.skip(str(error))
    script = load_script("benchmark_metrics")
    monkeypatch.setattr(script, "SIZES", {"tiny": (40, 50)})
    rows = script.measure(repeat=1)
    assert [row["case"] for row in rows] == [
        "psnr RGB tiny",
        "psnr Y tiny",
        "ssim RGB tiny",
        "ssim Y tiny",
    ]
    for row in rows:
        assert row["difference"] < (1e-4 if "psnr" in row["case"] else 1e-6)
        assert row["ratio"] == pytest.approx(row["reference_ms"] / row["ours_ms"])
