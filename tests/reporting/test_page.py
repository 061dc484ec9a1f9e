from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from realsr_mtl.reporting.page import breakable, data_uri, render

VALUES = {
    "baseline": "<b>",
    "methods": ["x"],
    "dataset": "d",
    "images": 1,
    "tasks": 1,
    "iterations": "",
    "sections": [],
    "replicates": 1000,
    "weighted": False,
    "runs": [["method"]],
    "options": [],
    "option_columns": (),
}


def test_text_is_escaped_and_nothing_is_loaded_or_run() -> None:
    text = render("comparison.html", "<title>", [("a", "<h>")], **VALUES)
    assert "<b>" not in text.partition("</style>")[2].replace("&lt;b&gt;", "")
    assert "<title>&lt;title&gt;</title>" in text and "&lt;h&gt;" in text
    assert "default-src 'none'" in text
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    assert text.index('href="#main"') < text.index("<nav")


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("comparison.html", "x", [], **{**VALUES, "sections": [{"key": "k"}]})


def test_long_names_may_be_broken_but_stay_escaped() -> None:
    assert breakable("a+b_<c>") == "a+<wbr>b_<wbr>&lt;c&gt;"


def test_a_picture_becomes_an_address() -> None:
    Path("x.png").write_bytes(b"abc")
    assert data_uri(Path("x.png")) == "data:image/png;base64,YWJj"
