from __future__ import annotations

import pytest

from realsr_mtl.naming import file_name


@pytest.mark.parametrize("name", ["a", "noise2+resize1", "x4 (new)", ".hidden", "é中", "a" * 150])
def test_names_that_stay_where_they_are_put(name):
    assert file_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a/b", "../a", "/etc", "a\\b", "..\\a", "C:", "a\0b", "a\nb", "a\x1b[31m"),
        *("a*", "\ud800", "a\u2028b"),
    ],
)
def test_names_that_lead_elsewhere(name):
    with pytest.raises(ValueError, match="cannot name a file or folder") as caught:
        file_name(name)
    assert str(caught.value).isprintable()


def test_long_names():
    with pytest.raises(ValueError, match="too long"):
        file_name("é" * 76)
