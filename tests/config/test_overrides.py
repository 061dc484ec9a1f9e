import copy

import pytest

from realsr_mtl.config.overrides import apply_overrides, parse_override
from realsr_mtl.errors import UserError


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("train:optim_g:lr=1e-4", ("train", "optim_g", "lr"), 1e-4),
        ("manual_seed=7", ("manual_seed",), 7),
        (" a : b = c ", ("a", "b"), "c"),
        ("a=b=c", ("a",), "b=c"),
        ("a=x:y", ("a",), "x:y"),
        ("a=", ("a",), None),
        ("a=~", ("a",), None),
        ("a=''", ("a",), ""),
        ("a='7'", ("a",), "7"),
        ("a=010", ("a",), 10),
        ("a=True", ("a",), True),
        ("a=[1, x]", ("a",), [1, "x"]),
        ("a={type: Adam, lr: 1e-3}", ("a",), {"type": "Adam", "lr": 1e-3}),
        (r"a=C:\new", ("a",), r"C:\new"),
        ("datasets:train:dataroot_gt=/a b/c", ("datasets", "train", "dataroot_gt"), "/a b/c"),
    ],
)
def test_an_override_is_a_path_and_a_yaml_value(text, path, value):
    found = parse_override(text)
    assert found == (path, value)
    assert type(found[1]) is type(value)


@pytest.mark.parametrize("text", ["manual_seed", "train:lr", "=3", " =3", ""])
def test_what_is_no_override_is_an_error(text):
    with pytest.raises(UserError, match=f"--force_yml '{text}' is not of the form key:key=value"):
        parse_override(text)


def test_a_broken_value_is_an_error():
    with pytest.raises(UserError, match="not a YAML value"):
        parse_override("a=[1")


def test_values_are_set_in_order_and_missing_blocks_are_made():
    options = {"a": {"b": 1, "c": 2}, "d": None, "e": [1]}
    before = copy.deepcopy(options)
    changed = apply_overrides(options, ["a:b=5", "d:x:y=6", "f:g=7", "a:b=8", "e=[2]", "a:h=~"])
    assert changed == {
        "a": {"b": 8, "c": 2, "h": None},
        "d": {"x": {"y": 6}},
        "e": [2],
        "f": {"g": 7},
    }
    assert options == before


def test_a_block_given_by_an_override_can_be_changed_by_the_next():
    assert apply_overrides({}, ["a={b: 1, c: 2}", "a:c=3"]) == {"a": {"b": 1, "c": 3}}


@pytest.mark.parametrize(
    ("text", "way"), [("a:b=1", "a"), ("c:d:e=1", "c:d"), ("c:f:0=1", "c:f"), ("g:x=1", "g")]
)
def test_a_value_in_the_way_is_an_error(text, way):
    options = {"a": 5, "c": {"d": "x", "f": [1]}, "g": False}
    with pytest.raises(UserError) as caught:
        apply_overrides(options, [text])
    assert str(caught.value) == (
        f"--force_yml '{text}': '{way}' holds a value, not a block of keys"
    )
