import math
from pathlib import Path

import pytest

from realsr_mtl.config.reader import parse_value, read_yaml
from realsr_mtl.config.writer import format_yaml


def round_trip(value):
    path = Path("o.yml")
    path.write_text(format_yaml(value), encoding="utf-8", newline="")
    return read_yaml(path)[0]


WORDS = "1e-4 5e3 010 1:30 12 -1 +.5 1. .inf .nan true False yes ~ null << = 2024-01-31 0x10 1_000"
SIGNS = "- ? ' \" {} [a *a &a !a %a @a `a # | > a:"
TEXTS = ["", "- a", "a: b", "a #b", " a", "a ", "a\nb", "a\tb", "\n", r"C:\new\data", "é 中 😀"]


@pytest.mark.parametrize(
    "text",
    [*WORDS.split(), *SIGNS.split(), *TEXTS, "\x07", "x" * 300, "word " * 60, "\ufeffx"],
)
def test_strings_come_back_as_strings(text):
    value = {"a": text, "b": [text], f"{text}": 1}
    assert round_trip(value) == value


NUMBERS = [0, -7, 10**20, 0.1, 1e-4, 1e-7, 5e3, 1e22, 1e300, -0.0, math.inf, -math.inf, 1 / 3]


@pytest.mark.parametrize("value", [*NUMBERS, True, False, None, [], {}, [[1, [2.0]], {"a": None}]])
def test_other_values_come_back_with_their_type(value):
    found = round_trip({"a": value})["a"]
    assert found == value
    assert type(found) is type(value)
    assert parse_value(format_yaml([value])) == [value]


def test_blocks_keep_their_order_and_tuples_become_lists():
    value = {"b": 1, "a": {"d": (1, 2), "c": 3}}
    assert list(round_trip(value)) == ["b", "a"]
    assert round_trip(value)["a"] == {"d": [1, 2], "c": 3}


def test_a_list_that_stands_in_two_places_is_written_twice():
    betas = [0.9, 0.99]
    assert "&" not in format_yaml({"optim_g": betas, "optim_d": betas})


def test_what_is_no_plain_value_is_refused():
    with pytest.raises(Exception, match="cannot represent an object"):
        format_yaml({"a": Path("x")})
