from __future__ import annotations

from pathlib import Path

import numpy as np

from realsr_mtl.reporting.comparison import Comparison, compare
from realsr_mtl.reporting.comparison_report import (
    Runs,
    latex,
    markdown,
    option_differences,
    write_comparison,
)
from realsr_mtl.reporting.run_files import RunFiles
from tests.reporting._runs import table, write_run

EVIL = '<script>alert("x")</script>|_$'
BASE = np.random.default_rng(0).normal(25, 3, (1, 12, 2))


def _comparison(name: str = "own", metric: str = "psnr", better: str = "higher") -> Comparison:
    tables = [
        table("base", BASE, ("mild", EVIL)),
        table(name, BASE + np.array([0.5, -0.25]), ("mild", EVIL)),
    ]
    return compare(tables, metric=metric, dataset=EVIL, better=better, masses=None, replicates=300)


def _runs(**options: object) -> list[Runs]:
    one = RunFiles(write_run("base"))
    other = RunFiles(write_run("own", **options))
    return [Runs("base", {"0": one}), Runs(EVIL, {"0": other})]


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    comparisons = [_comparison(EVIL), _comparison(EVIL, "lpips", "lower")]
    page = write_comparison(comparisons, _runs(), tmp_path / "out")
    text = page.read_text()
    assert "<script" not in text and "&lt;script&gt;" in text
    assert "Lower is better" in text
    markdown_file = (tmp_path / "out/comparison.md").read_text()
    assert "<script" not in markdown_file and markdown_file == markdown(comparisons)
    assert r"\textless{}script\textgreater{}" in (tmp_path / "out/comparison.tex").read_text()
    assert len({p.name for p in (tmp_path / "out").glob("gain_*.png")}) == 2
    assert (tmp_path / "out/comparison.csv").read_text().count("\n") == 1 + 2 * 9


def test_every_row_of_a_markdown_table_has_as_many_cells() -> None:
    rows = [line for line in markdown([_comparison(EVIL)]).split("\n") if line.startswith("|")]
    counts = [line.replace("\\|", "").count("|") for line in rows]
    gains = next(i for i, line in enumerate(rows) if line.startswith("| psnr"))
    assert set(counts[:gains]) == {3} and set(counts[gains:]) == {4}


def test_a_method_alone_has_scores_but_no_gains() -> None:
    alone = compare([table("base", BASE)], metric="psnr", dataset="v", better="higher", masses=None)
    assert "gain over" not in markdown([alone])
    assert latex([alone]).count("\\begin{table}") == 1


def test_the_options_in_which_methods_differ() -> None:
    assert option_differences(_runs(manual_seed=3)) == []
    found = option_differences(_runs(strategy={"sampling": {"type": "Uniform"}}))
    assert found[0] == ["option", "base", EVIL]
    assert ["strategy:sampling:type", "Natural", "Uniform"] in found
    many = option_differences(_runs(network_g={f"k{i}": i for i in range(60)}))
    assert many[-1][0].startswith("and ") and len(many) == 42
