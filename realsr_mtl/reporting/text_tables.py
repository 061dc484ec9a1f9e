"""Tables of plain text cells as Markdown and LaTeX, with whatever is in the cells made harmless."""

from __future__ import annotations

from collections.abc import Sequence

Cells = Sequence[Sequence[str]]
"""Rows of text; the first one is the head."""

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
    "\n": " ",
}

_MARKDOWN = "\\`*_|~"


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = "".join(f"\\{c}" if c in _MARKDOWN else c for c in plain)
    return escaped.replace("](", "]\\(").replace("\n", " ").replace("\r", " ")


def latex_text(text: str) -> str:
    """Text that LaTeX sets as it is; it needs T1 encoding for quotes and amssymb for triangles."""
    return "".join(_LATEX.get(c, c) for c in text)


def markdown_table(rows: Cells) -> str:
    """A table whose first column is text and the others numbers."""
    head, *body = ([markdown_text(cell) for cell in row] for row in rows)
    rule = "|---|" + "---:|" * (len(head) - 1)
    return "\n".join(
        ["| " + " | ".join(head) + " |", rule, *(f"| {' | '.join(r)} |" for r in body)]
    )


def latex_table(rows: Cells, caption: str) -> str:
    """A ``table`` environment, ready to be included."""
    head, *body = ([latex_text(cell) for cell in row] for row in rows)
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{latex_text(caption)}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"    \hline",
        rf"    {' & '.join(head)} \\",
        r"    \hline",
        *(rf"    {' & '.join(row)} \\" for row in body),
        r"    \hline",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)
