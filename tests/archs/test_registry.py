from __future__ import annotations

import pytest
from torch import nn

from realsr_mtl.archs import ARCHS, DISCRIMINATORS
from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import OptionError, UnavailableError


def test_own_networks_are_described():
    assert {"MSRResNet", "RRDBNet", "SRVGGNetCompact"} <= set(ARCHS)
    assert all(ARCHS.describe(name).strip() for name in ARCHS)


def test_discriminators_are_no_networks_and_the_reverse():
    assert {"PatchDiscriminator", "UNetDiscriminatorSN", "VGGStyleDiscriminator"} <= set(
        DISCRIMINATORS
    )
    assert not set(DISCRIMINATORS) & set(ARCHS)
    with pytest.raises(OptionError, match="did you mean 'UNetDiscriminatorSN'"):
        DISCRIMINATORS.get("UNetDiscriminator")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("MSRResNet", "realsr_mtl"),
        ("SwinIR", "basicsr"),
        ("EDSR", "basicsr"),
        ("RCAN", "basicsr"),
        ("HAT", "spandrel"),
        ("DAT", "spandrel"),
    ],
)
def test_names_resolve(name, package):
    if package == "basicsr":
        try:
            basicsr.load("archs")
        except UnavailableError as error:
            pytest.skip(str(error))
    factory = ARCHS.get(name)
    assert issubclass(factory, nn.Module)
    assert factory.__module__.split(".")[0] == package


def test_spandrel_stands_in_where_basicsr_is_missing(monkeypatch):
    def missing(module):
        raise UnavailableError("no basicsr here")

    monkeypatch.setattr(basicsr, "load", missing)
    assert ARCHS.get("SwinIR").__module__.startswith("spandrel.")


@pytest.mark.parametrize(
    ("name", "near"),
    [("MSRResnet", "MSRResNet"), ("RRDB", "RRDBNet"), ("SRVGGNetCompct", "SRVGGNetCompact")],
)
def test_unknown_name_suggests_the_nearest(name, near):
    with pytest.raises(OptionError, match=f"no network is called '{name}'; did you mean '{near}'"):
        ARCHS.get(name)


@pytest.mark.parametrize("name", ["", "os", "..archs", "__arch_helpers", "a.b", "AlexNetwork"])
def test_odd_names_are_unknown_names(name):
    with pytest.raises(OptionError, match="no network is called"):
        ARCHS.get(name)
