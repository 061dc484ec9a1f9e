from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from realsr_mtl.reporting.report import write_report
from tests.reporting._runs import write_run
from tests.scripts import load_script

SCRIPT = load_script("check_page")

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, SCRIPT.BROWSERS)), reason="no Chromium"
)

BAD = """<!DOCTYPE html><html lang="en"><head><title>x</title></head>
<body style="background:#ffffff"><p style="width:1300px;color:#eeeeee">faint</p>
<a href="#x" style="outline:none">link</a><img src="data:,">
<script>console.error("oh"); throw new Error("no")</script>
<link rel="stylesheet" href="http://127.0.0.1:9/x.css"></body></html>"""


@needs_browser
def test_a_report_passes(capsys: pytest.CaptureFixture[str]) -> None:
    page = write_report(write_run("run", names=("<b>mild", "hard" * 30)))
    assert SCRIPT.main([str(page), "--screenshots", "shots"]) == 0, capsys.readouterr().out
    assert "all is well" in capsys.readouterr().out
    assert len(list(Path("shots").glob("index_*.png"))) == 4


@needs_browser
def test_what_is_wrong_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.html").write_text(BAD)
    assert SCRIPT.main(["bad.html"]) == 1
    out = capsys.readouterr().out
    for part in (
        "400 px, dark: ",
        "pixels wider than the window",
        'too faint: P "faint"',
        "1 pictures do not show",
        "1 pictures have no text",
        "console: error",
        "script: Uncaught",
        "loads http://127.0.0.1:9/x.css",
        "the first Tab does not reach",
        "does not show",
    ):
        assert part in out


def test_a_large_page_and_no_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SCRIPT.main(["nothing.html"]) == 2
    assert "there is no page 'nothing.html'" in capsys.readouterr().err
    monkeypatch.setattr(SCRIPT, "BROWSERS", ("no_such_browser",))
    Path("x.html").write_text("x")
    assert SCRIPT.main(["x.html"]) == 2
    assert "no browser found (no_such_browser); install Chromium" in capsys.readouterr().err
