"""Errors that a user can cause and mend: one sentence that says what, where and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_LONGEST_SENTENCE = 2000
_LONGEST_VALUE = 100
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that would break or forge a line, and halves of characters, which no file takes."""

KeyPath = tuple[str | int, ...]
"""Where a value stands in an option file, e.g. ``("train", "optim_g", "lr")``."""


class UserError(ValueError):
    """Something the user can mend; commands print it as one sentence and exit with status 2.

    Args:
        message: the sentence. Foreign messages in it may have several lines, and names control
            characters; it becomes one printable line of bounded length.
    """

    def __init__(self, message: str) -> None:
        line = printable(re.sub(r"\s*\n\s*", " ", message.strip()))
        super().__init__(_shortened(line, _LONGEST_SENTENCE))


class OptionError(UserError):
    """A wrong entry of the option file.

    Args:
        message: what is wrong and what would be right, without the place.
        path: the place; the reader of the file adds the file name and the line.
    """

    def __init__(self, message: str, path: Sequence[str | int] = ()) -> None:
        self.message = message
        self.path: KeyPath = tuple(path)
        super().__init__(f"{format_path(self.path)}: {message}" if self.path else message)


class UnavailableError(UserError):
    """A part that this installation lacks (a package or a weight file); says how to get it."""


def format_path(path: Sequence[str | int]) -> str:
    """``("train", "optim_g", "lr")`` as ``train:optim_g:lr``, the spelling of ``--force_yml``."""
    return ":".join(printable(str(part)) for part in path)


def printable(text: str) -> str:
    """Text whose control characters and lone surrogates are escaped, as Python writes them."""
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def shown(value: object) -> str:
    """A value of the user's in a sentence: as Python writes it, a long one without its middle."""
    return _shortened(repr(value), _LONGEST_VALUE)


def _shortened(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    end = length // 4
    return f"{text[: length - end]} ... {text[-end:]}"


def suggest(name: str, known: Iterable[str], others: Iterable[str] = ()) -> str:
    """Return ``; did you mean 'x'?`` plus the known names, for the end of an error sentence.

    ``others`` are accepted too, and suggested, but too many to be listed.
    """
    name = name[:_LONGEST_VALUE]  # the search takes the square of the length
    listed = sorted(set(known))
    choices = [*listed, *sorted(set(others))]
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    if not near:
        near = [c for c in choices if c.lower() == name.lower()]
    if not near and len(name) > 2:
        near = [c for c in choices if c.startswith(name)]
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"{hint} Accepted: {', '.join(listed) or 'none'}"
