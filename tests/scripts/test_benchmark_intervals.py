from __future__ import annotations

import pytest

from tests.scripts import load_script

SCRIPT = load_script("benchmark_intervals")


def test_a_line_for_each_setting(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--trials", "20", "--replicates", "200", "--tasks", "2"]
    assert SCRIPT.main(["--images", "12", "--seeds", "2", *options]) == 0
    head, *lines = capsys.readouterr().out.strip().split("\n")
    assert head.split() == ["differences", "images", "seeds", "effect", "tasks", "mean", "any"]
    assert [line.split()[0] for line in lines] == ["normal", "skewed", "heavy", *["normal"] * 3]
    for line in lines:
        tasks, mean, wrong = map(float, line.split()[-3:])
        assert tasks > 0.75 and mean > 0.7 and wrong < 0.3
