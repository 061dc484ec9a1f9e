from __future__ import annotations

import csv
from pathlib import Path

import pytest

from realsr_mtl.errors import UserError
from realsr_mtl.seal.files import read_report, write_report
from realsr_mtl.seal.report import make_report
from tests.seal.test_report import CASES, lines, scores


def test_a_report_is_written_and_read_back():
    report = make_report(scores(), lines(), CASES)
    files = write_report(report, Path("reports"))
    assert [file.name for file in files] == ["net.json", "net.csv", "net.md", "net_psnr.png"]
    assert read_report("reports/net.json") == report
    with Path("reports/net.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["family"] == "one"
    assert rows[0]["noise"] == "low"
    assert rows[2]["psnr_R"] == ""
    assert len(rows) == 5


def test_without_lines_there_is_no_figure():
    files = write_report(make_report(scores()), Path("reports"))
    assert [file.suffix for file in files] == [".json", ".csv", ".md"]


def test_mistakes_are_named():
    report = make_report(scores())
    with pytest.raises(UserError, match="'a/b' cannot name a file"):
        write_report({**report, "network": "a/b"}, Path("reports"))
    with pytest.raises(UserError, match="does not exist"):
        read_report("none.json")
    Path("x.json").write_text("[]")
    with pytest.raises(UserError, match="is no report"):
        read_report("x.json")
    Path("x.json").write_text("{")
    with pytest.raises(UserError, match="is no JSON"):
        read_report("x.json")
