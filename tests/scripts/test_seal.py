from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from realsr_mtl.archs import build_network
from tests._options import TINY, write_options
from tests.scripts import load_script
from tests.seal._centres import BSRGAN, REAL_ESRGAN, line
from tests.training.seal._plans import blocks, prepare, write_seal

SCRIPT = load_script("seal")
FOLDER = Path("experiments/tiny")
TABLE, LINES = Path("model.csv"), Path("line.csv")


@pytest.fixture
def seal_file(make_images: Callable[..., Path]) -> list[str]:
    """A SEAL option file, and one of a network with its weights."""
    prepare(make_images)
    Path("net.yml").write_text(write_options(name="net").read_text())
    torch.save({"params": build_network(TINY["network_g"], 4, 0).state_dict()}, "net.pth")
    write_seal()
    return ["-opt", "tiny.yml"]


@pytest.fixture
def tables() -> None:
    """Published tables: five cases, the worked example; a second network below all lines."""
    LINES.write_text(
        ",fsrcnn_psnr,srresnet_psnr\n0,23.2,23.6\n1,24,24.4\n2,22,22.05\n3,25,25.5\n4,22,22.3\n",
        encoding="utf-8-sig",
    )
    rows = [(23.0, 9), (24.2, 8), (21.9, 9), (25.6, 8), (22.4, 9)]
    text = "".join(f"{i},{good},{bad}\n" for i, (good, bad) in enumerate(rows))
    TABLE.write_text(",good_psnr,bad-net_psnr\n" + text, encoding="utf-8-sig")


def test_cases_lines_reports_and_a_comparison(seal_file, capsys):
    assert SCRIPT.main(["cases", *seal_file]) == 0
    out = capsys.readouterr().out
    assert "3 cases of 24 records; clusters of" in out
    assert "RealESRGAN: 24 of the pool, 3 cases" in out
    network = ["--network", "net.yml", "--weights", "net.pth"]
    assert SCRIPT.main(["eval", *seal_file, *network]) == 2
    assert "there are no lines" in capsys.readouterr().err
    assert SCRIPT.main(["eval", *seal_file, *network, "--no_lines", "--output", "plain"]) == 0
    assert json.loads(Path("plain/net.json").read_text())["lines"] is None
    assert SCRIPT.main(["lines", *seal_file]) == 0
    out = capsys.readouterr().out
    assert "of 3 cases have a gap of 0.1 or more" in out
    assert "acceptance above bicubic in" in out
    tau = ["--tau", "psnr=0.0001", "ssim=0.000001"]  # these networks have learnt nothing
    assert SCRIPT.main(["eval", *seal_file, *network, *tau]) == 0
    assert SCRIPT.main(["eval", *seal_file, "--bicubic", *tau]) == 0
    reports = sorted((FOLDER / "reports").glob("*.json"))
    assert [file.stem for file in reports] == ["bicubic", "net"]
    capsys.readouterr()
    out_file = ["--output", "decision.md"]
    assert SCRIPT.main(["compare", *map(str, reports), "--metric", "ssim", *out_file]) == 0
    assert "| bicubic - net |" in capsys.readouterr().out
    assert "| bicubic - net |" in Path("decision.md").read_text()
    assert SCRIPT.main(["compare", str(reports[0]), "plain/net.json"]) == 2
    assert "were made with other lines" in capsys.readouterr().err


def test_other_lines_and_shared_images_are_refused(seal_file, capsys):
    assert SCRIPT.main(["cases", *seal_file]) == 0
    assert SCRIPT.main(["lines", *seal_file]) == 0
    before = (FOLDER / "lines/lines.json").read_bytes()
    assert SCRIPT.main(["lines", *seal_file, "--force_yml", "train:total_iter=3"]) == 2
    assert "total_iter = 2, now it is 3" in capsys.readouterr().err
    assert (FOLDER / "lines/lines.json").read_bytes() == before
    changed = ["--force_yml", "val:metrics:psnr:crop_border=4"]
    assert SCRIPT.main(["eval", *seal_file, "--bicubic", *changed]) == 2
    assert "another definition of 'psnr'" in capsys.readouterr().err
    changed = ["--force_yml", "datasets:val:seed=9"]
    assert SCRIPT.main(["eval", *seal_file, "--bicubic", *changed]) == 2
    assert "trained for other images or seeds" in capsys.readouterr().err
    write_options(name="net", datasets={**TINY["datasets"], "train": TINY["datasets"]["val"]})
    text = Path("tiny.yml").read_text().replace("seed: 5", "gt_size: 32")
    Path("net.yml").write_text(text)
    Path("tiny.yml").write_text(write_options(**blocks()).read_text())
    network = ["--network", "net.yml", "--weights", "net.pth"]
    assert SCRIPT.main(["eval", *seal_file, *network]) == 2
    assert "images of the report are in this set" in capsys.readouterr().err


def test_published_tables_need_no_training(tables, capsys):
    arguments = ["eval", "--table", str(TABLE), "--lines", str(LINES)]
    assert SCRIPT.main(arguments) == 0
    out = capsys.readouterr().out
    assert "| all | 4 | 0.7500 [0.3006, 0.9544] | 0.2130 | 0.7275 (3) | 0.3775 (1) |" in out
    found = json.loads(Path("results/seal/good.json").read_text())
    assert found["metrics"]["psnr"]["dropped"] == ["2"]
    assert Path("results/seal/bad-net_psnr.png").is_file()
    files = ["results/seal/good.json", "results/seal/bad-net.json"]
    assert SCRIPT.main(["compare", *files]) == 0
    assert "| good | AR differs: +0.7500" in capsys.readouterr().out
    only = ["--model", "good", "--name", "mine", "--tau", "psnr=0.01", "--output", "x"]
    assert SCRIPT.main([*arguments, *only]) == 0
    assert [file.name for file in Path("x").glob("*.json")] == ["mine.json"]
    assert json.loads(Path("x/mine.json").read_text())["metrics"]["psnr"]["valid"] == 5


def test_published_centres_give_families_to_a_table(capsys):
    text = "\n".join(line((REAL_ESRGAN, BSRGAN)[row % 2], row) for row in range(2))
    Path("centres.txt").write_text(text + "\n")
    arguments = ["cases", "--published", "centres.txt"]
    assert SCRIPT.main(arguments) == 2
    assert "--published needs --output" in capsys.readouterr().err
    assert SCRIPT.main([*arguments, "--output", "imported"]) == 0
    out = capsys.readouterr().out
    assert "2 of 2 cases (1 RealESRGAN, 1 BSRGAN)" in out
    assert "in 1 cases the second resize" in out
    assert SCRIPT.main([*arguments, "--output", "imported"]) == 2
    assert "is there already" in capsys.readouterr().err
    LINES.write_text("case,acceptance_psnr,excellence_psnr\n0,20,21\n1,22,23\n")
    TABLE.write_text("case,psnr\n0,20.5\n1,21\n")
    own = ["--lines", str(LINES), "--cases", "imported/cases.jsonl"]
    assert SCRIPT.main(["eval", "--table", str(TABLE), *own]) == 0
    assert "| family: RealESRGAN | 1 | 1.0000" in capsys.readouterr().out


def test_families_of_the_command_line(seal_file, capsys):
    mixture = ["--family", "RealESRGAN=0.5", "BSRGAN=0.5"]
    assert SCRIPT.main(["cases", *seal_file, *mixture]) == 0
    assert "  BSRGAN: " in capsys.readouterr().out
    assert SCRIPT.main(["cases", *seal_file]) == 2
    assert "now it is" in capsys.readouterr().err
    other = ["--force_yml", "seal:folder=other", "seal:seed=0", "seal:pool=20"]
    apart = ["--apart", str(FOLDER / "cases.jsonl")]
    assert SCRIPT.main(["cases", *seal_file, *mixture, *other, *apart]) == 2
    assert "draw one of them with another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cases"], "seal.py cases needs -opt"),
        (["lines"], "seal.py lines needs -opt"),
        (["eval", "--bicubic"], "-opt names the option file"),
        (["eval"], "give one of --network FILE, --bicubic and --table"),
        (["eval", "--bicubic", "--table", "x"], "give one of"),
        (["eval", "--table", "x", "--lines", "y", "--no_lines"], "--lines or --no_lines"),
        (["eval", "--table", "model.csv"], "seal.py eval needs -opt"),
        (["eval", "--table", "none.csv", "--lines", "line.csv"], "'none.csv' does not exist"),
        (["eval", "--table", "model.csv", "--lines", "line.csv", "--tau", "psnr"], "METRIC=GAP"),
        (["eval", "--table", "model.csv", "--lines", "line.csv", "--name", "x"], "see --model"),
        (["eval", "--table", "model.csv", "--lines", "line.csv", "--model", "x"], "no model 'x'"),
        (["compare", "none.json"], "'none.json' does not exist"),
    ],
)
def test_mistakes_are_one_sentence(tables, arguments, sentence, capsys):
    assert SCRIPT.main(arguments) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.startswith("error: ") and err.count("\n") == 1
