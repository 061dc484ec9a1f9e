from __future__ import annotations

import csv
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from realsr_mtl.reporting import read_lines, summarise

ROOT = Path(__file__).parents[2]


def _readme_command(marker: str) -> str:
    text = (ROOT / "README.md").read_text().split(f"<!-- {marker} -->", 1)[1]
    return text.split("```bash\n", 1)[1].split("\n```", 1)[0]


def test_the_readme_has_two_commands_of_one_line() -> None:
    for marker, end in (
        ("quick start", "python realsr_mtl/train.py -opt options/quickstart.yml"),
        ("test", "python -m pytest"),
    ):
        command = _readme_command(marker)
        assert "\n" not in command
        assert command.endswith(end)
        assert "-c constraints.txt" in command
    assert (ROOT / "options/quickstart.yml").is_file()


@pytest.mark.slow
def test_the_quick_start_beats_bicubic_and_test_repeats_its_table() -> None:
    command = shlex.split(_readme_command("quick start").rsplit(" && ", 1)[1])
    command = [sys.executable, str(ROOT / command[1]), "-opt", str(ROOT / command[3])]
    subprocess.run(command, check=True, timeout=900)
    rows = read_lines(Path("experiments/quickstart/metrics.jsonl"))
    last = max(r["iter"] or 0 for r in rows)
    network = [r for r in rows if r["iter"] == last]
    bicubic = [r for r in rows if r["network"] == "bicubic"]
    assert len(network) == len(bicubic) == 8
    better = {"psnr": "higher", "ssim": "higher"}
    gain = summarise(network, better)["mean"]["psnr"] - summarise(bicubic, better)["mean"]["psnr"]
    assert gain > 0.1

    command = [sys.executable, str(ROOT / "realsr_mtl/test.py")]
    subprocess.run([*command, "-opt", str(ROOT / "options/test/quickstart.yml")], check=True)
    with Path("results/quickstart/metrics.csv").open() as file:
        tested = [r for r in csv.DictReader(file) if r["network"] == "net_g"]
    assert [(r["task"], float(r["psnr"]), float(r["ssim"])) for r in tested] == [
        (r["task"], r["psnr"], r["ssim"]) for r in network
    ]
