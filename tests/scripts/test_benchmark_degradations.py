from __future__ import annotations

import pytest
import torch

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError
from tests._asserts import assert_eight_bit
from tests.scripts import load_script


def test_both_sides_degrade_the_same_images() -> None:
    try:
        basicsr.load("data.degradations")
    except UnavailableError as error:
        pytest.skip(str(error))
    script = load_script("benchmark_degradations")
    cpu = torch.device("cpu")
    gt = script.photographs(2, 96, cpu)
    reference, ours = script.Reference(cpu), script.Ours()
    state = torch.get_rng_state()
    for usm in (True, False):
        for degrade in (reference, ours):
            lq = degrade(gt, usm)
            assert lq.shape == (2, 3, 24, 24)
            assert_eight_bit(lq)
    patch = script.Ours(32)(gt, True)
    assert patch.shape == (2, 3, 8, 8)
    rows = script.measure(cpu, [1], [64], [32], repeat=1)
    torch.set_rng_state(state)
    assert [(row["batch"], row["size"], row["usm"], row["patch"]) for row in rows] == [
        (1, 64, usm, patch) for usm in (True, False) for patch in (None, 32)
    ]
    for row in rows:
        assert row["ratio"] == pytest.approx(row["reference_ms"] / row["ours_ms"])
        assert row["bytes"] > 2 * 12 * 64 * 64 and row["floor_ms"] > 0
    assert rows[1]["bytes"] < rows[0]["bytes"] and rows[2]["bytes"] < rows[0]["bytes"]
