"""Option files gone wrong: mutations of good ones, each a function of a random generator only."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from realsr_mtl.config.writer import format_yaml

Path = tuple[str | int, ...]

TOUCH = "touch harmed"
"""What a file tries to run: a file of this name in the working folder means that it could."""

LITERALS = (
    *("~", "true", "false", "0", "1", "-1", "2", "3", "0.5", "1.5", "-0.0", "1e308", "1e999"),
    *("-1e308", ".nan", ".inf", "-.inf", "1e-320", "010", "0x10", "1_000", "1:30", "!!float 1"),
    *(str(2**31), str(2**32), str(2**63), str(2**64), str(-(2**63) - 1), str(10**12)),
    *(str(10**30), str(10**400), "9" * 5000, "1e30", "1e15", "4096", "100000", "10000000"),
    *("''", "' '", "a", "default", "auto", "none", "all", "natural", "A" * 5000, "x" * 200_000),
    *('"\\0"', '"\\e[31m"', '"\\ud800"', '"a\\nb"', '"\\u2028"', '"\\x85"', "'{}'", "'{0}{1}'"),
    *("'%s%n'", "é中🦀", "'\u202e'", "../../etc/passwd", "/etc/passwd", "/dev/zero", "/", ".."),
    *("a/../../b", "'a\\..\\b'", "'C:\\x'", "nul", "'~/x'", "$HOME", "'*'", "'['", "'(a+)+$'"),
    *("[]", "{}", "[[]]", "[~]", "[1]", "[1, 2]", "[2, 1]", "[0, 0]", "[-1, -2]", "[a, b]"),
    *("[.nan, .nan]", "[.inf, -.inf]", "[1e308, 1e308]", "[0.1, 0.2, 0.7]", "[1, 1, 1]"),
    *("{a: 1}", "{type: x}", "{type: [a]}", "{type: ~}", "{~: 1}", "{1: 2}", "{min: 0}"),
    *("{name: a, where: {b: 1}}", "[{name: a}]", "[{task: a}]", "[{type: ImageFolder}]"),
    *("2024-01-31", "2024-01-31 10:00:00", "!!timestamp 2024-13-45", "!!timestamp 2024-01-31"),
    *("!!binary aGk=", "!!binary '*'", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]"),
    *("!!str 1", "!!int x", "!!bool 7", "!!null x", "!!seq {a: 1}", "!!map [1]", "!", "!x!y z"),
    f"!!python/object/apply:os.system ['{TOUCH}']",
    f"!!python/object/apply:subprocess.check_output [[touch, {TOUCH.split()[1]}]]",
    f"!!python/object/new:os.system ['{TOUCH}']",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/tuple [1, 2]",
    "!!python/object:realsr_mtl.config.schema.Options {}",
    f"!<tag:yaml.org,2002:python/object/apply:os.system> ['{TOUCH}']",
)  # fmt: skip
"""Values as a file writes them."""

KEYS = (
    *("type", "name", "scale", "tasks", "file", "self", "cls", "args", "kwargs", "path", "block"),
    *("model_config", "model_extra", "model_fields", "__init__", "__class__", "__dict__", "copy"),
    *("model_dump", "setting", "sampler", "parameters", "others", "runtime", "weights", "device"),
    *("train", "val", "val_2", "test", "probe", "trainer", "gt_size", "tile", "datasets", "é"),
    *("x" * 3000, "a.b", "a:b", "-", "*a", "&a", "!a", "<<", "=", "?", "", "0", "1e3", "../x"),
)  # fmt: skip
"""Names for keys."""

OVERRIDES = (
    *("", "=", "=1", ":=1", "::=1", "a", "a:b", "scale", "scale=", "scale=[", "scale={a: 1"),
    *("name=../x", "name=a/b", 'name="\\0"', "name=" + "x" * 5000, "scale:x=1", "scale=4=4"),
    *("train:optim_g=~", "train:optim_g:lr=!!float x", "train:total_iter=1e30", "name=\x1b[31m"),
    *("datasets:train=~", "datasets:val_9:type=ImageFolder", "val:metrics=~", "val:metrics:x=1"),
    *("a:" * 3000 + "b=1", "scale=" + "[" * 3000, "scale=&a [*a]", "scale=*a", "x\ny=1", "é=1"),
    *("network_g:type=RRDBNet", "network_g:num_feat=1000000000", "path=~", "logger=~", "tasks=~"),
    f"name=!!python/object/apply:os.system ['{TOUCH}']",
)  # fmt: skip

CHARACTERS = (
    *":-{}[],&*!|>'\"%@`#?\\~=<\t \n\r",
    *("\0", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff", "\U0001f980", "\u202e", "---\n", "...\n"),
    *("%YAML 9.9\n---\n", "&a ", "*a ", "<<: *a\n", "!!int ", "? ", "- ", "|\n", ">-\n", ": "),
)


@dataclass
class Case:
    """A mutated file.

    Attributes:
        content: the file.
        overrides: texts for ``--force_yml``.
        history: what was done.
    """

    content: bytes
    overrides: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)


def mutated(seeds: Sequence[Mapping[str, Any]], texts: Sequence[str], draw: random.Random) -> Case:
    """A mutation of one of the files.

    Args:
        seeds: the files as values.
        texts: the files as texts.
        draw: decides everything.
    """
    history: list[str] = []
    position = draw.randrange(len(seeds))
    text = texts[position]
    if draw.random() < 0.8:
        tree = copy.deepcopy(dict(seeds[position]))
        literals: list[str] = []
        count = draw.choice((1, 1, 1, 1, 2, 3))
        history += [draw.choice(_TREE)(tree, literals, seeds, draw) for _ in range(count)]
        text = _written(tree, literals)
    if not history or draw.random() < 0.1:
        change = draw.choice(_TEXT)
        text = change(text, draw)
        history.append(change.__name__.strip("_"))
    content = text.encode("utf-8", "surrogatepass")
    if draw.random() < 0.06:
        encode = draw.choice(_BYTES)
        content = encode(content, draw)
        history.append(encode.__name__.strip("_"))
    overrides = _overrides(seeds[position], draw) if draw.random() < 0.15 else []
    return Case(content, overrides, history)


# the tree


def _places(value: Any, path: Path = ()) -> list[Path]:
    """All places below the top, parents first."""
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [p for key, v in inner for p in ((*path, key), *_places(v, (*path, key)))]


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _some(tree: Any, draw: random.Random) -> tuple[Any, Any]:
    """A container and a key in it."""
    places = _places(tree)
    if not places:
        tree["name"] = "x"
        places = [("name",)]
    path = draw.choice(places)
    return _at(tree, path[:-1]), path[-1]


def _literal(literals: list[str], text: str) -> str:
    literals.append(text)
    return f"LITERAL{len(literals) - 1}END"


def _written(tree: Mapping[str, Any], literals: Sequence[str]) -> str:
    text = format_yaml(tree)
    return re.sub(r"LITERAL(\d+)END", lambda found: literals[int(found[1])], text)


def _set_literal(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    where, key = _some(tree, draw)
    where[key] = _literal(literals, draw.choice(LITERALS))
    return f"{key} set"


def _set_number(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    numbers = [p for p in _places(tree) if type(_at(tree, p)) in (int, float)]
    if not numbers:
        return _set_literal(tree, literals, seeds, draw)
    path = draw.choice(numbers)
    old = _at(tree, path)
    changes: tuple[Any, ...] = (
        *(0, -1, -old, old + 1, old - 1, old * 2, old * 3, 7, 10**5, 10**7, 10**9, 10**12),
        *(10**30, 2**31, 2**63, 0.5, 1e-300, 1e300, str(old), [old], [old, old], {"a": old}),
    )
    _at(tree, path[:-1])[path[-1]] = draw.choice(changes)
    return f"{path[-1]} another number"


def _drop(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    where, key = _some(tree, draw)
    del where[key]
    return f"{key} dropped"


def _rename(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    where, key = _some(tree, draw)
    if not isinstance(where, dict):
        return _drop(tree, literals, seeds, draw)
    letters = list(str(key))
    draw.shuffle(letters)
    new = draw.choice((*KEYS, "".join(letters), f"{key}x", str(key)[:-1], str(key).upper()))
    where[new] = where.pop(key)
    return f"{key} renamed"


def _add(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    blocks = [(), *(p for p in _places(tree) if isinstance(_at(tree, p), dict))]
    new = draw.choice((*KEYS, _literal(literals, draw.choice(LITERALS))))
    _at(tree, draw.choice(blocks))[new] = _literal(literals, draw.choice(LITERALS))
    return "a key added"


def _retype(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    """Another class, the options of the first one."""
    kinds = sorted({str(_at(s, p)) for s in seeds for p in _places(s) if p[-1] == "type"})
    typed = [p for p in _places(tree) if p[-1] == "type"]
    if not typed:
        return _add(tree, literals, seeds, draw)
    path = draw.choice(typed)
    _at(tree, path[:-1])["type"] = draw.choice(kinds)
    return "another type"


def _graft(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    """A part of another file, at its own place or anywhere."""
    donor = draw.choice(seeds)
    path = draw.choice(_places(donor))
    if draw.random() < 0.6:
        path = path[:1] if draw.random() < 0.5 else path
        where = tree
        for key in path[:-1]:
            inner = where.get(key) if isinstance(where, dict) else None
            if not isinstance(inner, dict):
                break
            where = inner
        key = path[-1]
    else:
        where, key = _some(tree, draw)
    if isinstance(where, list) and not (isinstance(key, int) and key < len(where)):
        where.append(copy.deepcopy(_at(donor, path)))
    else:
        where[key] = copy.deepcopy(_at(donor, path))
    return f"{key} grafted"


def _swap(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    a, first = _some(tree, draw)
    b, second = _some(tree, draw)
    one, other = copy.deepcopy(a[first]), copy.deepcopy(b[second])
    a[first] = other
    if b is not None and (not isinstance(b, list) or second < len(b)):
        b[second] = one
    return f"{first} and {second} swapped"


def _wrap(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    where, key = _some(tree, draw)
    old = where[key]
    many = [old] * (3 if isinstance(old, (dict, list)) else 2000)
    where[key] = draw.choice(([old], [old] * 3, {"a": old}, {"type": old}, many, str(old)))
    return f"{key} wrapped"


def _lengthen(tree: Any, literals: list[str], seeds: Any, draw: random.Random) -> str:
    lists = [p for p in _places(tree) if isinstance(_at(tree, p), list) and _at(tree, p)]
    if not lists:
        return _wrap(tree, literals, seeds, draw)
    chosen = _at(tree, draw.choice(lists))
    change = draw.randrange(4)
    if change == 0:
        chosen.append(copy.deepcopy(draw.choice(chosen)))
    elif change == 1:
        chosen.pop()
    elif change == 2:
        chosen.extend(copy.deepcopy(chosen) * 20)
    else:
        draw.shuffle(chosen)
    return "a list of another length"


_Change = Callable[[Any, list[str], Any, random.Random], str]
_TREE: tuple[_Change, ...] = (
    *(_set_literal, _set_literal, *[_set_number] * 6, _drop, _rename, _add),
    *(_retype, _retype, _graft, _graft, _swap, _wrap, _lengthen),
)


# the text


def _line(text: str, draw: random.Random) -> tuple[list[str], int]:
    lines = text.splitlines(keepends=True) or [""]
    return lines, draw.randrange(len(lines))


def _delete_line(text: str, draw: random.Random) -> str:
    lines, at = _line(text, draw)
    return "".join(lines[:at] + lines[at + 1 :])


def _repeat_line(text: str, draw: random.Random) -> str:
    lines, at = _line(text, draw)
    return "".join(lines[:at] + [lines[at]] * draw.choice((2, 2, 50)) + lines[at + 1 :])


def _indent_line(text: str, draw: random.Random) -> str:
    lines, at = _line(text, draw)
    lines[at] = draw.choice(("\t", " ", "  ", "    ", "- ", "? ")) + lines[at]
    return "".join(lines)


def _unindent_line(text: str, draw: random.Random) -> str:
    lines, at = _line(text, draw)
    lines[at] = lines[at].lstrip(" ")
    return "".join(lines)


def _insert_characters(text: str, draw: random.Random) -> str:
    for _ in range(draw.choice((1, 1, 3))):
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(CHARACTERS) + text[at:]
    return text


def _cut(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(len(text) + 1)]


def _cut_out(text: str, draw: random.Random) -> str:
    a, b = sorted(draw.randrange(len(text) + 1) for _ in range(2))
    return text[:a] + text[b:]


def _value_on_a_line(text: str, draw: random.Random, value: str) -> str:
    lines = text.splitlines()
    fitting = [i for i, line in enumerate(lines) if re.match(r"\s*[\w']+: \S", line)]
    if not fitting:
        return f"{text}\nx: {value}\n"
    at = draw.choice(fitting)
    lines[at] = f"{lines[at].partition(': ')[0]}: {value}"
    return "\n".join(lines) + "\n"


def _literal_on_a_line(text: str, draw: random.Random) -> str:
    return _value_on_a_line(text, draw, draw.choice(LITERALS))


def _nested(text: str, draw: random.Random) -> str:
    depth = draw.choice((20, 60, 200, 400, 1000, 10_000))
    opened, closed = draw.choice((("[", "]"), ("{a: ", "}"), ("[{a: ", "}]"), ("[&a ", "]")))
    if draw.random() < 0.3:
        block = "".join(f"{' ' * i}a:\n" for i in range(min(depth, 400)))
        return f"{text}\n{block}"
    if draw.random() < 0.2:
        return f"{text}\nx: {draw.choice(('- ', '? ', '!!str ', '&a ', '!!seq ')) * depth}\n"
    return _value_on_a_line(text, draw, opened * depth + closed * draw.choice((0, depth)))


def _laughs(text: str, draw: random.Random) -> str:
    """Anchors that grow: every line repeats the one before it some times."""
    count, times = draw.choice((5, 12, 30, 60)), draw.choice((2, 9))
    kind = draw.randrange(4)
    lines = ["l0: &l0 [lol, lol]" if kind == 0 else "l0: &l0 {lol: 1}"]
    for i in range(1, count):
        before = ", ".join([f"*l{i - 1}"] * times)
        pairs = ", ".join(f"k{n}: *l{i - 1}" for n in range(times))
        body = (f"[{before}]", f"{{{pairs}}}", f"{{<<: [{before}]}}", f"{{<<: *l{i - 1}, k{i}: 1}}")
        lines.append(f"l{i}: &l{i} {body[kind]}")
    alias = f"*l{count - 1}"
    return _value_on_a_line("\n".join(lines) + "\n" + text, draw, alias)


def _self_reference(text: str, draw: random.Random) -> str:
    values = ("&s [*s]", "&s {a: *s}", "&s {<<: *s}", "&s {<<: [*s, *s]}", "&s {a: {<<: *s}}")
    others = ("*s", "&s", "&s *s", "{<<: ~}", "{<<: 5}", "{<<: [1]}", "{<<: {a: 1}, <<: {b: 1}}")
    return _value_on_a_line(text, draw, draw.choice((*values, *others)))


def _merge(text: str, draw: random.Random) -> str:
    """A block that takes over what another one has."""
    lines = text.splitlines()
    opens = [i for i, line in enumerate(lines) if re.match(r"\s*\w+:$", line)]
    if len(opens) < 2:
        return _self_reference(text, draw)
    first, second = draw.sample(opens, 2)
    first, second = sorted((first, second))
    lines[first] += " &m"
    indent = len(lines[second]) - len(lines[second].lstrip()) + 2
    lines.insert(second + 1, " " * indent + "<<: *m")
    return "\n".join(lines) + "\n"


def _long(text: str, draw: random.Random) -> str:
    kind = draw.randrange(5)
    if kind == 0:
        return text + "#" * 2_000_000
    if kind == 1:
        return text + "".join(f"k{i}: {i}\n" for i in range(20_000))
    if kind == 2:
        return f"{'k' * 300_000}: 1\n{text}"
    if kind == 3:
        return text + "\n" * 500_000
    return _value_on_a_line(text, draw, f"[{', '.join(['1'] * 30_000)}]")


def _documents(text: str, draw: random.Random) -> str:
    return draw.choice(
        (f"{text}\n---\n{text}", f"---\n{text}\n...\n", f"%TAG ! !\n---\n{text}", "")
    )


_TEXT: tuple[Callable[[str, random.Random], str], ...] = (
    *(_delete_line, _repeat_line, _indent_line, _unindent_line, _cut, _cut_out, _documents),
    *(_insert_characters, _insert_characters, _literal_on_a_line, _literal_on_a_line),
    *(_nested, _laughs, _self_reference, _merge, _long),
)


# the bytes


def _another_encoding(content: bytes, draw: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    names = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "utf-7", "cp1252", "cp037")
    return ("é" + text).encode(draw.choice(names), "replace")


def _windows(content: bytes, draw: random.Random) -> bytes:
    return content.replace(b"\n", draw.choice((b"\r\n", b"\r", b"\n\r", b"\x85")))


def _null_bytes(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + b"\0" * draw.choice((1, 1000)) + content[at:]


def _half_a_character(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice(
        (b"\xc3", b"\xe4\xb8", b"\xf0\x9f\xa6", b"\xed\xa0\x80", b"\xff")
    )


def _random_bytes(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content or b"x")
    for _ in range(draw.choice((1, 3, 30))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed) if draw.random() < 0.9 else draw.randbytes(500)


_BYTES = (_another_encoding, _windows, _null_bytes, _half_a_character, _random_bytes)


# the command line


def _overrides(tree: Mapping[str, Any], draw: random.Random) -> list[str]:
    found = []
    for _ in range(draw.choice((1, 1, 2, 4))):
        if draw.random() < 0.3:
            found.append(draw.choice(OVERRIDES))
            continue
        keys = [str(key) for key in draw.choice(_places(tree))]
        if draw.random() < 0.3:
            keys[draw.randrange(len(keys))] = draw.choice(KEYS)
        found.append(f"{':'.join(keys)}={draw.choice(LITERALS)}")
    return found
