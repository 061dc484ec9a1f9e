from __future__ import annotations

from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.table_reports import table_reports
from tests.seal.test_report import CASES, NAMES, Q, lines

FILE = Path("model.csv")


@pytest.fixture(autouse=True)
def _table() -> None:
    rows = [f"{name},{value},{value - 9}" for name, value in zip(NAMES, Q, strict=True)]
    FILE.write_text("case,x_psnr,y_psnr\n" + "\n".join(rows))


def test_every_model_has_a_report():
    good, bad = table_reports(FILE, lines(), CASES)
    assert [good["network"], bad["network"]] == ["x", "y"]
    assert good["metrics"]["psnr"]["AR"] == 0.75
    assert bad["metrics"]["psnr"]["AR"] == 0
    assert good["about"] == {"table": "model.csv"}
    assert good["lines"] == bad["lines"]


def test_one_of_them_by_another_name_and_gap():
    (report,) = table_reports(FILE, lines(), model="x", name="mine", tau={"psnr": 0.01})
    assert report["network"] == "mine"
    assert report["metrics"]["psnr"]["valid"] == 5
    assert table_reports(FILE, None)[0]["lines"] is None
    with pytest.raises(UserError, match="--name is of one model; the table has x, y"):
        table_reports(FILE, lines(), name="mine")
