"""``--force_yml a:b=value``: change options from the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from realsr_mtl.config.reader import DEEPEST, parse_value
from realsr_mtl.errors import KeyPath, UserError, format_path, shown


def parse_override(text: str) -> tuple[KeyPath, Any]:
    """Split ``train:optim_g:lr=1e-4`` into a path and a value read as YAML."""
    place, separator, value = text.partition("=")
    if not separator or not place.strip():
        raise UserError(
            f"--force_yml {shown(text)} is not of the form key:key=value, e.g. "
            "train:optim_g:lr=1e-4"
        )
    path = [part.strip() for part in place.split(":")]
    if len(path) > DEEPEST:
        raise UserError(f"--force_yml {shown(text)} names a place more than {DEEPEST} keys deep")
    return tuple(path), parse_value(value)


def apply_overrides(options: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a copy of ``options`` with the overrides set; unknown keys are found by the schema.

    Missing blocks on the way are made, so ``train:grad_clip_norm=1`` works without such a line in
    the file; a value in the way (``scale:x=1``) is an error.
    """
    result = dict(options)
    for text in overrides:
        path, value = parse_override(text)
        block: Any = result
        for depth, part in enumerate(path[:-1]):
            inner = block.get(part)
            if inner is not None and not isinstance(inner, dict):
                raise UserError(
                    f"--force_yml {shown(text)}: {shown(format_path(path[: depth + 1]))} holds "
                    "a value, not a block of keys"
                )
            block[part] = dict(inner or {})
            block = block[part]
        block[path[-1]] = value
    return result
