from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from realsr_mtl.config.reader import read_yaml

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "make_option_reference.py"


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("make_option_reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_the_files_in_docs_are_up_to_date() -> None:
    script = _script()
    assert (ROOT / "docs" / "options.md").read_text() == script.reference()
    assert json.loads((ROOT / "docs" / "options.schema.json").read_text()) == script.schema()


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
