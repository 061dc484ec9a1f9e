from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies import WEIGHTINGS
from tests.scripts import load_script

CPU = torch.device("cpu")


@pytest.fixture
def script():
    module = load_script("benchmark_strategies")
    module.NETWORKS["SRVGGNetCompact"][1].update(num_feat=4, num_conv=1)
    return module


def test_every_weighting_is_measured_for_few_and_for_many_tasks(script) -> None:
    rows = script.measure_parts(batch=8, step_ms=100.0, device=CPU, repeat=3)
    for tasks in (8, 4000):
        parts = {row["part"] for row in rows if row["tasks"] == tasks}
        assert parts == {"Uniform", "DataRebalancing", *WEIGHTINGS}
    assert all(row["share"] == pytest.approx(row["ms"] / 100) for row in rows)


def test_whole_steps_are_compared_with_plain_ones(script) -> None:
    plain, rows = script.measure_gradients("SRVGGNetCompact", 4, 32, 2, CPU, 1, "NashMTL")
    assert [row["step"].split()[-1] for row in rows] == ["look)", "full", "sketch", "last_layer"]
    assert all(row["ratio"] == pytest.approx(row["ms"] / plain) for row in rows)
