from __future__ import annotations

import logging
from pathlib import Path

import pytest

from realsr_mtl.reporting.log import ROOT, start_logging, training_line


def test_the_line_is_basicsrs_with_throughput_and_time_split() -> None:
    seconds = {"total": 0.5, "data": 0.01, "degrade": 0.2, "model": 0.29}
    line = training_line(
        "quickstart", 3, 1200, [2e-4], 3661, seconds, 32.04, 1.5, {"l_pix": 0.012345}
    )
    assert line == (
        "[quick..][epoch:  3, iter:   1,200, lr:(2.000e-04,)] [eta: 1:01:01, time (data): 0.500 "
        "(0.010), degrade 0.200 model 0.290, 32.0 images/s, peak 1.50 GiB] l_pix: 1.2345e-02"
    )


def test_log_goes_to_terminal_and_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "train.log"
    start_logging(file)
    logging.getLogger(f"{ROOT}.training").info("hello")
    start_logging(None, quiet=True)
    logging.getLogger(f"{ROOT}.training").info("not shown by other processes")
    logging.getLogger(f"{ROOT}.training").warning("shown by all")
    out = capsys.readouterr().out
    assert " INFO: hello" in file.read_text()
    assert "hello" in out
    assert "not shown" not in out
    assert "shown by all" in out
