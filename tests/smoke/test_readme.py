"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

from realsr_mtl.reporting import read_lines
from tests._commands import run_python
from tests._options import write_options

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _example() -> str:
    found = re.search(r"<!-- strategy -->\n```python\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


def test_the_strategy_of_the_readme_trains_and_resumes_exactly(images: None) -> None:
    code = _example()
    body = code.split("@WEIGHTINGS")[1].split("if __name__")[0]
    assert len(body.strip().splitlines()) <= 30
    Path("my_strategy.py").write_text(code)
    write_options()
    options = "strategy={weighting: {type: LossFollowing, power: 2}}"
    command = ["my_strategy.py", "-opt", "tiny.yml", "--force_yml", options]
    whole = run_python(*command, installed=True)
    assert whole.returncode == 0, whole.stderr
    folder = Path("experiments/tiny")
    lines = read_lines(folder / "strategy.jsonl")
    weights = [line["weight"] for line in lines]
    assert all(len({*weight.values()}) == 2 for weight in weights)
    state = torch.load(folder / "training_states/6.state")["strategy"]["weighting"]
    assert state["type"] == "LossFollowing" and state["state"]["losses"]["average"]["mild"] > 0
    (folder / "training_states/6.state").unlink()
    again = run_python(*command[:3], "--auto_resume", *command[3:], installed=True)
    assert again.returncode == 0 and "at iteration 3" in again.stdout, again.stderr
    assert read_lines(folder / "strategy.jsonl") == lines


def test_a_mistake_in_its_options_is_one_sentence() -> None:
    Path("my_strategy.py").write_text(_example())
    write_options()
    options = "strategy={weighting: {type: LossFollowing, powr: 2}}"
    result = run_python(
        "my_strategy.py", "-opt", "tiny.yml", "--force_yml", options, installed=True
    )
    assert result.returncode == 2
    assert "did you mean 'power'?" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="paths of links")
def test_its_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 10
    assert not [x for x in links if not x.startswith("http") and not (ROOT / x).exists()]
