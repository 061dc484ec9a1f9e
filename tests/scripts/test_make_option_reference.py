from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from realsr_mtl.config.reader import read_yaml
from realsr_mtl.degradations import SAMPLERS
from tests.scripts import load_script

ROOT = Path(__file__).parents[2]
SCRIPT = load_script("make_option_reference")


def test_the_files_in_docs_are_up_to_date() -> None:
    assert (ROOT / "docs" / "options.md").read_text() == SCRIPT.reference()
    assert json.loads((ROOT / "docs" / "options.schema.json").read_text()) == SCRIPT.schema()


def test_every_parameter_of_every_space_has_a_row() -> None:
    page = (ROOT / "docs" / "degradations.md").read_text()
    assert page == SCRIPT.degradations()
    for name in SAMPLERS:
        section = page.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
        space = SAMPLERS.build({"type": name}, 4).space
        rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
        assert [row[1].strip(" `") for row in rows] == list(space.parameters)
        assert all(cell.strip() for row in rows for cell in row[1:-1])


def test_every_option_and_class_has_a_meaning() -> None:
    page = (ROOT / "docs" / "options.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    for row in rows:
        meaning = row.strip("|").split("|")[-1].strip()
        assert meaning not in ("", "None"), row


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("options/**/*.yml")), ids=lambda f: f.relative_to(ROOT).as_posix()
)
def test_shipped_files_fit_the_editor_schema(file: Path) -> None:
    schema = json.loads((ROOT / "docs" / "options.schema.json").read_text())
    options, _ = read_yaml(file)
    jsonschema.validate(options, schema)


@pytest.mark.parametrize(
    "path",
    [
        ("trian",),
        ("train", "optim_g", "lrr"),
        ("datasets", "train", "gtsize"),
        ("network_g", "num_fet"),
        ("val", "metrics", "psnr", "crop"),
        ("degradation", "jpeg"),
    ],
)
def test_the_schema_finds_typing_errors(path: tuple[str, ...]) -> None:
    schema = json.loads((ROOT / "docs" / "options.schema.json").read_text())
    options, _ = read_yaml(ROOT / "options" / "quickstart.yml")
    block: Any = options
    for key in path[:-1]:
        block = block[key]
    block[path[-1]] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(options, schema)
