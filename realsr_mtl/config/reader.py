"""YAML as people mean it: YAML 1.2 numbers, no duplicate keys, and the line of every key.

PyYAML follows YAML 1.1, where ``1e-4`` and ``5e3`` are strings, ``010`` is 8 and ``1:30`` is 90.
The loader here is PyYAML's safe loader with the scalar rules of the YAML 1.2 core schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from realsr_mtl.errors import KeyPath, OptionError, UserError, shown

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


_COLLECTIONS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq")}
_MERGE = "tag:yaml.org,2002:merge"
_NO_COLON = "could not find expected ':'"
_DRIVE = re.compile("[A-Za-z]:")  # "D:\\new" in double quotes holds a line break

# What no option file needs; a few lines with anchors could ask for more than fits into memory.
MOST_BYTES = 256 * 1024
_MOST_VALUES = 50_000
DEEPEST = 32
_TOO_DEEP = f"lists and blocks stand in each other more than {DEEPEST} deep"

_Pair = tuple[yaml.Node, yaml.Node]


class _Loader(yaml.SafeLoader):
    """Safe loader with YAML 1.2 scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own protocol

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value; one that does not fit its explicit tag (``!!float x``) is a YAML error."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):
            kind = node.tag.rpartition(":")[2]
            raise _error(f"{shown(node.value)} is no !!{kind}", node) from None


for _tag, _pattern, _first in SCALARS:
    _Loader.add_implicit_resolver(_tag, _pattern, _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def parse_value(text: str) -> Any:
    """Parse one value of the command line by the same rules as a file."""
    try:
        return _parse(text, {})
    except OptionError as error:
        raise UserError(f"{shown(text)}: {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{shown(text)} is not a YAML value: {_reason(error)}") from None


def read_yaml(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read an option file.

    Returns:
        The mapping and the line of each key.

    Raises:
        UserError: no such file, not text, not YAML, not a mapping, or a duplicate key.
    """
    lines: Lines = {}
    try:
        value = _parse(_text(path), lines)
    except FileNotFoundError:
        raise UserError(f"option file '{path}' does not exist (seen from {Path.cwd()})") from None
    except IsADirectoryError:
        raise UserError(f"'{path}' is a folder; -opt takes one YAML file") from None
    except UnicodeDecodeError:
        raise UserError(f"'{path}' is not UTF-8 text; -opt takes a YAML file in UTF-8") from None
    except OSError as error:
        raise UserError(f"option file '{path}' cannot be read: {error.strerror}") from None
    except OptionError as error:
        raise UserError(f"{path}, line {lines[error.path]}: {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}{_line(error)}: not valid YAML ({_reason(error)})") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected 'key: value' lines, found {type(value).__name__}")
    return value, lines


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UserError(f"'{path}' is larger than {MOST_BYTES // 1024} KiB, so no option file")
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _parse(text: str, lines: Lines) -> Any:
    """The value of a text; fills ``lines`` on the way, also up to an error."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return _Construction(loader, lines).value(node, ()) if node else None
    except RecursionError:  # of PyYAML's parser, before anything is constructed
        raise yaml.YAMLError(_TOO_DEEP) from None
    finally:
        if loader is not None:
            loader.dispose()


class _Construction:
    """Turns the nodes of one text into values and notes the line of every key."""

    def __init__(self, loader: _Loader, lines: Lines) -> None:
        self._loader = loader
        self._lines = lines
        self._open: list[yaml.Node] = []
        self._merged: dict[int, tuple[yaml.MappingNode, dict[str, _Pair]]] = {}
        self._values = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """The value of a node that stands at ``path``."""
        self._values += 1
        if self._values > _MOST_VALUES:
            raise _error(f"the file makes more than {_MOST_VALUES:,} values", node)
        if not isinstance(node, yaml.CollectionNode):
            return self._scalar(node)
        with self._inside(node):
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            return [self.value(inner, (*path, i)) for i, inner in enumerate(node.value)]

    @contextmanager
    def _inside(self, node: yaml.CollectionNode) -> Iterator[None]:
        if node.tag not in _COLLECTIONS:
            raise _error(f"the tag {shown(node.tag)} is not supported", node)
        if any(outer is node for outer in self._open):
            raise _error("an anchor stands inside itself", node)
        if len(self._open) == DEEPEST:
            raise _error(_TOO_DEEP, node)
        self._open.append(node)
        try:
            yield
        finally:
            self._open.pop()

    def _scalar(self, node: yaml.Node) -> Any:
        value = self._loader.construct_object(node, deep=True)
        if isinstance(value, str) and _DRIVE.match(value) and not value.isprintable():
            raise _error("a backslash in double quotes is an escape character", node)
        return value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result = {}
        for key, (key_node, inner) in self._pairs(node, path).items():
            here = (*path, key)
            self._lines[here] = key_node.start_mark.line + 1
            result[key] = self.value(inner, here)
        return result

    def _pairs(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, _Pair]:
        """Key and value nodes of a block by key: those that ``<<`` merges, then its own."""
        if id(node) in self._merged:  # the node is kept, so no other has its id
            return self._merged[id(node)][1]
        merged: dict[str, _Pair] = {}
        own: dict[str, _Pair] = {}
        for key_node, inner in node.value:
            if key_node.tag == _MERGE:
                merged |= self._to_merge(inner, path)
                continue
            key = self._key(key_node, path)
            if key in own:
                self._lines[(*path, key)] = key_node.start_mark.line + 1
                raise OptionError("this key stands here twice; remove one", (*path, key))
            own[key] = key_node, inner
        found = merged | own
        self._merged[id(node)] = node, found
        return found

    def _to_merge(self, node: yaml.Node, path: KeyPath) -> dict[str, _Pair]:
        """The pairs of a block, or of a list of blocks of which the first counts most."""
        if isinstance(node, yaml.MappingNode):
            if id(node) in self._merged:
                return self._merged[id(node)][1]
            with self._inside(node):
                return self._pairs(node, path)
        found: dict[str, _Pair] = {}
        for block in reversed(node.value) if isinstance(node, yaml.SequenceNode) else [None]:
            if not isinstance(block, yaml.MappingNode):
                raise _error("'<<' takes a block or a list of blocks", block or node)
            found |= self._to_merge(block, path)
        return found

    def _key(self, node: yaml.Node, path: KeyPath) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _error("a key is a word, not a list or a block", node)
        key = str(node.value)
        if not isinstance(self._loader.construct_object(node, deep=True), str):
            self._lines[(*path, key)] = node.start_mark.line + 1
            raise OptionError(f"a key is a word; if this one is, write '{key}'", (*path, key))
        return key


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _line(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return ""
    mark = error.problem_mark
    if error.problem == _NO_COLON:  # found out on the next line
        mark = error.context_mark
    return f", line {mark.line + 1}" if mark else ""


def _reason(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or error).split("\n", 1)[0]
    if problem == _NO_COLON:
        return f"{problem}; write 'key: value' with a space behind the colon"
    if "escape" in problem:
        return f"{problem}; write paths with backslashes in single quotes or without quotes"
    if "'\\t'" in problem:
        return f"{problem}; indent with spaces, not tabs"
    return problem
