"""YAML as people mean it: YAML 1.2 numbers, no duplicate keys, and the line of every key.

PyYAML follows YAML 1.1, where ``1e-4`` and ``5e3`` are strings, ``010`` is 8 and ``1:30`` is 90.
The loader here is PyYAML's safe loader with the scalar rules of the YAML 1.2 core schema.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from realsr_mtl.errors import KeyPath, OptionError, UserError

Lines = dict[KeyPath, int]
"""Line number (from 1) of every key of a file."""


SCALARS = [
    (f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))
    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?[0-9]+", "-+0123456789"),
        (
            "float",
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
            r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
            "-+.0123456789",
        ),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("merge", r"<<", "<"),
    )
]
"""Tag, pattern and first characters of the plain scalars that are not strings (YAML 1.2 core)."""


class _Loader(yaml.SafeLoader):
    """Safe loader with YAML 1.2 scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own protocol


for _tag, _pattern, _first in SCALARS:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def parse_value(text: str) -> Any:
    """Parse one value of the command line by the same rules as a file."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise UserError(f"'{text}' is not a YAML value: {_reason(error)}") from None


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read an option file.

    Returns:
        The mapping and the line of each key.

    Raises:
        UserError: no such file, not text, not YAML, not a mapping, or a duplicate key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"option file '{path}' does not exist (seen from {Path.cwd()})") from None
    except IsADirectoryError:
        raise UserError(f"'{path}' is a folder; -opt takes one YAML file") from None
    except UnicodeDecodeError:
        raise UserError(f"'{path}' is not a text file; -opt takes a YAML file") from None
    loader = _Loader(text)
    lines: Lines = {}
    try:
        node = loader.get_single_node()
        value = _construct(loader, node, (), lines) if node else None
    except OptionError as error:
        raise UserError(f"{path}, line {lines[error.path]}: {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}{_reason(error)}") from None
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected 'key: value' lines, found {type(value).__name__}")
    return value, lines


def _construct(loader: _Loader, node: yaml.Node, path: KeyPath, lines: Lines) -> Any:
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = loader.construct_object(key_node, deep=True)
            lines[(*path, key)] = key_node.start_mark.line + 1
            if key in seen and key_node.tag != "tag:yaml.org,2002:merge":
                raise OptionError("this key stands here twice; remove one", (*path, key))
            seen.add(key)
        loader.flatten_mapping(node)
        return {
            (key := loader.construct_object(k, deep=True)): _construct(
                loader, v, (*path, key), lines
            )
            for k, v in node.value
        }
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, v, (*path, i), lines) for i, v in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    place = f", line {mark.line + 1}" if mark else ""
    hint = ""
    if "escape" in str(problem):
        hint = "; write paths with backslashes in single quotes or without quotes"
    elif "'\\t'" in str(problem):
        hint = "; indent with spaces, not tabs"
    return f"{place}: not valid YAML ({problem}){hint}"
