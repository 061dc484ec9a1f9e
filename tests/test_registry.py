from __future__ import annotations

from typing import Any, Literal

import pytest

from realsr_mtl.errors import OptionError, UnavailableError
from realsr_mtl.registry import Registry, argument_texts, option_parameters


class Filter:
    """Smooths an image.

    More about it: nothing.

    Args:
        width: width of the kernel
            in pixels.
        mode: the border.

    Raises:
        nothing: at all.
    """

    def __init__(
        self,
        scale: int,
        *,
        width: int,
        mode: Literal["zero", "reflect"] = "zero",
        sigma: tuple[float, float] = (1, 2),
        roots: str | list[str] = "a",
        block: dict[str, int] | None = None,
    ) -> None:
        if width < 0:
            raise ValueError("width is negative")
        if width == 99:
            raise OptionError("too wide", ("width",))
        if width == 98:
            raise UnavailableError("no such filter here")
        if width == 97:
            raise KeyError("a defect of ours")
        self.options = scale, width, mode, sigma, roots, block


def foreign(channels, factor=2):
    return channels, factor


@pytest.fixture
def registry() -> Registry[Filter]:
    made: Registry[Filter] = Registry("filter", lookup=lambda n: foreign if n == "Far" else None)
    made.register(aliases=["Old"])(Filter)
    made.register("sharp")(type("Sharp", (), {}))
    return made


def test_names_and_aliases_lead_to_the_same_factory(registry):
    assert list(registry) == ["Filter", "sharp"]
    assert registry.get("Filter") is registry.get("Old") is Filter
    assert registry.aliases("Filter") == ["Old"]
    assert "Old" in registry and "sharp" in registry and "Far" not in registry
    assert registry.describe("Old") == "Smooths an image."


@pytest.mark.parametrize("name", ["Filter", "Old"])
def test_a_name_is_taken_once(registry, name):
    with pytest.raises(ValueError, match=f"filter '{name}' is registered twice"):
        registry.register(name)(foreign)
    with pytest.raises(ValueError, match=f"filter '{name}' is registered twice"):
        registry.register("new", aliases=[name])(foreign)


@pytest.mark.parametrize(("name", "near"), [("filter", "Filter"), ("old", "Old"), ("Fliter", "Fi")])
def test_an_unknown_name_is_answered_with_the_nearest_and_all(registry, name, near):
    with pytest.raises(OptionError) as caught:
        registry.check({"type": name}, ("a", "b"))
    assert caught.value.path == ("a", "b", "type")
    assert f"no filter is called '{name}'; did you mean '{near}" in str(caught.value)
    assert str(caught.value).endswith("Accepted: Filter, Old, sharp")


def test_check_converts_types_and_fills_defaults_without_runtime_objects(registry):
    checked = registry.check({"type": "Old", "width": 3.0, "sigma": [1, 4]})
    assert checked == {
        "type": "Old",
        "width": 3,
        "mode": "zero",
        "sigma": (1, 4),
        "roots": "a",
        "block": None,
    }
    assert isinstance(checked["width"], int)


@pytest.mark.parametrize(
    ("options", "path", "parts"),
    [
        ({}, "width", ["this key is required"]),
        ({"widht": 3}, "widht", ["unknown key for filter 'Filter'; did you mean 'width'?", "mode"]),
        ({"width": 1, "scale": 4}, "scale", ["unknown key"]),
        ({"width": "wide"}, "width", ["valid integer, found 'wide'"]),
        ({"width": 1.5}, "width", ["fractional part, found 1.5"]),
        ({"width": None}, "width", ["valid integer, found None"]),
        ({"width": 1, "mode": "warp"}, "mode", ["'zero' or 'reflect', found 'warp'"]),
        ({"width": 1, "sigma": [1]}, "sigma:1", ["required"]),
        ({"width": 1, "sigma": [1, "x"]}, "sigma:1", ["valid number, found 'x'"]),
        ({"width": 1, "roots": 5}, "roots", ["a valid string or a valid list, found 5"]),
        ({"width": 1, "roots": ["a", 5]}, "roots:1", ["a valid string, found 5"]),
        ({"width": 1, "block": "x"}, "block", ["a block of 'key: value' lines, found 'x'"]),
    ],
)
def test_a_wrong_option_is_named_by_its_place_and_its_value(registry, options, path, parts):
    with pytest.raises(OptionError) as caught:
        registry.check({"type": "Filter", **options}, ("top",))
    assert str(caught.value).startswith(f"top:{path}: ")
    for part in parts:
        assert part in str(caught.value)


def test_further_keys_of_a_block_are_offered_too(registry):
    with pytest.raises(OptionError, match="did you mean 'batch_size'"):
        registry.check({"type": "Filter", "batch_sise": 3}, known=["batch_size"])


def test_a_factory_of_another_library_takes_all_its_parameters_as_options(registry):
    assert registry.build({"type": "Far", "channels": "3"}) == ("3", 2)
    with pytest.raises(OptionError, match=r"channels: this key is required"):
        registry.check({"type": "Far"})
    with pytest.raises(OptionError, match=r"chanels: unknown key.*did you mean 'channels'"):
        registry.check({"type": "Far", "chanels": 3})


def test_build_passes_runtime_objects_and_options(registry):
    built = registry.build({"type": "Filter", "width": 5, "roots": ["a", "b"]}, 4)
    assert built.options == (4, 5, "zero", (1, 2), ["a", "b"], None)


@pytest.mark.parametrize(
    ("width", "kind", "sentence"),
    [
        (-1, OptionError, "here: Filter refuses these options: width is negative"),
        (99, OptionError, "here:width: too wide"),
        (98, UnavailableError, "no such filter here"),
        (97, KeyError, "'a defect of ours'"),
    ],
)
def test_what_a_constructor_refuses_gets_a_place_and_a_defect_stays_a_defect(
    registry, width, kind, sentence
):
    with pytest.raises(kind) as caught:
        registry.build({"type": "Filter", "width": width}, 4, path=("here",))
    assert str(caught.value) == sentence


def test_options_carry_the_texts_of_the_docstring(registry):
    fields = registry.options("Filter").model_fields
    assert fields["width"].description == "width of the kernel in pixels."
    assert fields["width"].is_required() and not fields["mode"].is_required()
    assert argument_texts(Filter) == {
        "width": "width of the kernel in pixels.",
        "mode": "the border.",
    }
    assert argument_texts(foreign) == {}


def test_only_keyword_only_parameters_of_our_own_classes_are_options():
    names = [p.name for p in option_parameters(Filter, keyword_only=True)]
    assert names == ["width", "mode", "sigma", "roots", "block"]
    assert [p.name for p in option_parameters(foreign, keyword_only=True)] == []


class Finer(Filter):
    """A filter with another default.

    Args:
        mode: a finer border.
    """

    def __init__(self, scale: int, *, mode: Any = "fine", **others: Any) -> None:
        super().__init__(scale, mode=mode, **others)


class Tinted:
    """A tint.

    Args:
        tint: colour to add.
    """

    def __init__(self, scale: int, *, tint: str = "none", **others: Any) -> None:
        super().__init__(scale, **others)
        self.tint = tint


class TintedFilter(Tinted, Filter):
    """A filter with a tint."""


def test_options_come_from_every_base_along_the_order_of_construction():
    registry: Registry[Filter] = Registry("filter")
    registry.register()(TintedFilter)
    fields = registry.options("TintedFilter").model_fields
    assert {"tint", "width", "mode", "sigma", "roots", "block"} == set(fields)
    assert fields["tint"].description == "colour to add."
    built = registry.build({"type": "TintedFilter", "width": 3, "tint": "red"}, 4)
    assert built.tint == "red" and built.options[:2] == (4, 3)
    assert registry.describe("TintedFilter") == "A filter with a tint."


class Counted(dict):  # type: ignore[type-arg]
    """A built-in base takes no options of ours."""

    def __init__(self, *, size: int = 1, **others: Any) -> None:
        super().__init__(**others)


def test_a_built_in_base_ends_the_line():
    assert [p.name for p in option_parameters(Counted, keyword_only=True)] == ["size"]


def test_a_class_that_passes_others_on_has_the_options_of_its_base():
    registry: Registry[Filter] = Registry("filter")
    registry.register()(Finer)
    fields = registry.options("Finer").model_fields
    base: Registry[Filter] = Registry("filter")
    base.register()(Filter)
    assert set(fields) == set(base.options("Filter").model_fields)
    assert fields["mode"].default == "fine" and fields["mode"].description == "a finer border."
    assert fields["width"].is_required()
    assert fields["width"].description == "width of the kernel in pixels."
    built = registry.build({"type": "Finer", "width": 3}, 4)
    assert built.options == (4, 3, "fine", (1, 2), "a", None)
    with pytest.raises(OptionError, match="unknown key"):
        registry.check({"type": "Finer", "width": 3, "wide": 4})
