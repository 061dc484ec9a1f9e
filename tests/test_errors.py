import pytest

from realsr_mtl.errors import (
    OptionError,
    UnavailableError,
    UserError,
    format_path,
    shown,
    suggest,
)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ((), "too small"),
        (("train", "optim_g", "lr"), "train:optim_g:lr: too small"),
        (["scheduler", "periods", 2], "scheduler:periods:2: too small"),
    ],
)
def test_an_option_error_says_where_in_the_spelling_of_force_yml(path, sentence):
    error = OptionError("too small", path)
    assert str(error) == sentence
    assert error.message == "too small"
    assert error.path == tuple(path)


@pytest.mark.parametrize("kind", [OptionError, UnavailableError])
def test_commands_can_catch_every_kind_as_a_user_error(kind):
    assert issubclass(kind, UserError)
    assert issubclass(kind, ValueError)


def test_format_path_joins_words_and_numbers():
    assert format_path(("a", 0, "b")) == "a:0:b"
    assert format_path(()) == ""


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gt_sise", "gt_size"),
        ("GT_SIZE", "gt_size"),
        ("Scale", "scale"),
        ("scael", "scale"),
        ("gt_", "gt_size"),
    ],
)
def test_a_slip_gets_the_nearest_name_whatever_its_case(name, near):
    assert suggest(name, ["scale", "gt_size"]) == (
        f"; did you mean '{near}'? Accepted: gt_size, scale"
    )


def test_a_name_like_none_gets_no_suggestion_but_the_list_sorted_and_once():
    assert suggest("zzz", ["b", "a", "b"]) == ". Accepted: a, b"
    assert suggest("gt", ["gt_size_of_patches"]) == ". Accepted: gt_size_of_patches"
    assert suggest("x", []) == ". Accepted: none"


def test_a_sentence_is_one_printable_line_of_bounded_length():
    assert str(UserError("first line\n   second\r\nthird")) == "first line second third"
    assert str(UserError("no 'a\x1b[31mb\0\ud800\u2028'")) == r"no 'a\x1b[31mb\x00\ud800\u2028'"
    long = str(UserError(f"it holds {'x' * 10**6}; remove it"))
    assert len(long) < 2100
    assert long.startswith("it holds xxx")
    assert long.endswith("xxx; remove it")
    assert "\n" not in str(OptionError("a\nb", ("c\nd",)))


def test_a_value_is_shown_without_its_middle():
    assert shown("a'b") == '"a\'b"'
    assert shown([1, None]) == "[1, None]"
    assert len(shown("x" * 10**6)) < 110
    assert shown(10**400).endswith("000")


def test_nothing_is_near_a_very_long_name():
    assert suggest("x" * 10**6, ["gt_size"]) == ". Accepted: gt_size"
