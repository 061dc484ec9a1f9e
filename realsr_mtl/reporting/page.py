"""Self-contained pages: templates that escape what is put in, pictures as data."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from realsr_mtl import __version__

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, title: str, contents: Sequence[tuple[str, str]], **values: Any) -> str:
    """A page.

    Text among the values is escaped; a content security policy keeps the page from loading or
    running anything even so.

    Args:
        template: file in ``templates``.
        title: of the page.
        contents: anchor and heading of every section.
        values: what the template shows.
    """
    style = Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))
    return (
        _environment()
        .get_template(template)
        .render(
            title=title,
            contents=contents,
            style=style,
            version=__version__,
            written=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            **values,
        )
    )


def data_uri(file: Path) -> str:
    """A PNG file as a ``data:`` address."""
    return f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"


def breakable(text: str) -> Markup:
    """Escaped text that may be broken behind a plus or an underscore."""
    return Markup(re.sub(r"([+_])", r"\1<wbr>", str(escape(text))))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    return made
