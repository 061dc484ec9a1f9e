from __future__ import annotations

from pathlib import Path

import pytest
import torch

from realsr_mtl.archs import ARCHS, DISCRIMINATORS, AirNet, Limits, build_network
from tests._oracles import basicsr_module
from tests.scripts import load_script

SCRIPT = load_script("list")


@pytest.fixture(scope="module")
def networks() -> list[tuple[str, ...]]:
    return SCRIPT.own_networks()


def test_the_page_has_the_networks_of_this_project_as_they_are(
    networks: list[tuple[str, ...]],
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "archs.md").read_text()
    assert SCRIPT.markdown(networks) in page
    assert SCRIPT.markdown(SCRIPT.discriminators()) in page
    assert [row[0] for row in networks[1:]] == list(ARCHS)
    assert all(f"| {name} |" in page for name in ("SwinIR", "HAT", "EDSR", *DISCRIMINATORS))


def test_published_numbers(networks: list[tuple[str, ...]]) -> None:
    rows = {row[0]: dict(zip(networks[0], row, strict=True)) for row in networks}
    assert rows["RRDBNet"]["weights (M)"] == "16.698"
    assert rows["RRDBNet"]["GMAC at 64"] == "73.43"
    assert rows["PromptIR"]["scale"] == "x1"
    edsr = (Path(__file__).parents[2] / "docs" / "archs.md").read_text()
    assert "| EDSR | 43.090 |" in edsr
    assert "| SwinIR | 11.900 |" in edsr


def test_multiplications_are_counted_by_hand() -> None:
    network = torch.nn.Conv2d(3, 8, 3, padding=1, groups=1)
    _, macs = SCRIPT._run(network, torch.zeros(1, 3, 10, 12))
    assert macs == 10 * 12 * 3 * 8 * 9
    options = {"num_feat": 4, "num_group": 1, "num_block": 1}
    _, guided = SCRIPT._run(AirNet(**options).eval(), torch.zeros(1, 3, 8, 8))
    _, twice = SCRIPT._run(AirNet(**{**options, "num_block": 2}).eval(), torch.zeros(1, 3, 8, 8))
    deformable, offsets, plain, transform = 4 * 4 * 9, 8 * 27 * 9, 4 * 4 * 9, 4 * 4 * 4
    assert twice - guided == 64 * 2 * (deformable + offsets + plain + transform)


@pytest.mark.parametrize(
    ("limits", "text"),
    [((1, 1), "any"), ((8, 8), "multiples of 8"), ((1, 24), "from 24"), ((4, 16), "both")],
)
def test_sides_in_words(
    limits: tuple[int, int], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SCRIPT, "limits", lambda network: Limits(*limits))
    row = SCRIPT._row(ARCHS, "NAFNet", 64)
    assert row[4] == ("multiples of 4 from 16" if text == "both" else text)


def test_others_are_measured_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Compact", "AuraSR", "SPAN", "NAFNet"]
    monkeypatch.setattr(SCRIPT, "foreign_names", lambda: names)
    table, others = SCRIPT.foreign_networks()
    assert [row[0] for row in table[1:]] == ["Compact", "SPAN"]
    assert all(row[-1] == "spandrel" and row[3] == "x4" for row in table[1:])
    assert others == ["AuraSR"]


def test_archs_names_the_others_without_building_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SCRIPT, "own_networks", lambda: [("name",), ("AirNet",)])
    monkeypatch.setattr(SCRIPT, "foreign_networks", pytest.fail)
    assert SCRIPT.main(["archs"]) == 0
    assert "RetinexFormer" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [kind for kind in SCRIPT.KINDS if kind != "archs"])
def test_every_other_kind_is_listed_with_what_it_is(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT.main([kind]) == 0
    printed = capsys.readouterr().out
    for registry in SCRIPT.KINDS[kind]:
        for name in registry:
            assert any(
                line.startswith(f"{name} ") and line.endswith(registry.describe(name))
                for line in printed.splitlines()
            )


def test_wrong_arguments() -> None:
    for arguments in (["arches"], ["losses", "--all"], []):
        with pytest.raises(SystemExit):
            SCRIPT.main(arguments)


def test_the_variants_are_options_of_their_networks() -> None:
    basicsr_module("archs")
    for name, options in SCRIPT.VARIANTS.items():
        assert set(options) <= set(ARCHS.options(name).model_fields)
    assert build_network({"type": "TaskHeads", **SCRIPT.VARIANTS["TaskHeads"]}, 4, seed=0)
