from __future__ import annotations

import pytest

from realsr_mtl.reporting.text_tables import (
    latex_table,
    latex_text,
    markdown_table,
    markdown_text,
)

ROWS = [["task", "a_b"], ["50 % & <x>", "+0.1 [-0.1, 0.2] ▲"], ["x|y\nz", "1 ±2"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b*c`d", r"a\_b\*c\`d"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("x|y\nz\\", "x\\|y z\\\\"),
        ("[link](http://x) [+0.1, +0.2]", "[link]\\(http://x) [+0.1, +0.2]"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, expected: str) -> None:
    assert markdown_text(text) == expected


def test_a_markdown_table_keeps_its_columns() -> None:
    lines = markdown_table(ROWS).split("\n")
    assert lines[:2] == ["| task | a\\_b |", "|---|---:|"]
    assert lines[2].startswith("| 50 % &amp; &lt;x&gt; | ")
    assert lines[3] == "| x\\|y z | 1 ±2 |"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % & a_b", r"50 \% \& a\_b"),
        ("#{$}~^\\", r"\#\{\$\}\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("1 ±2 ▲▼", r"1 $\pm$2 $\blacktriangle$$\blacktriangledown$"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
    ],
)
def test_latex_sets_text_as_it_is(text: str, expected: str) -> None:
    assert latex_text(text) == expected


def test_a_latex_table_is_whole() -> None:
    text = latex_table(ROWS, "100 % of a_b")
    assert text.startswith("\\begin{table}") and text.endswith("\\end{table}")
    assert r"\caption{100 \% of a\_b}" in text
    assert r"\begin{tabular}{lr}" in text
    assert text.count(r" \\") == 3
    assert [line.count(" & ") for line in text.split("\n") if line.endswith(r"\\")] == [1, 1, 1]
