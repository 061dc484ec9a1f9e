from __future__ import annotations

import pytest
import torch

from realsr_mtl.bridges import basicsr
from realsr_mtl.errors import UnavailableError
from tests.scripts import load_script


def test_both_sides_make_the_same_kind_of_iteration() -> None:
    try:
        basicsr.load("archs.srvgg_arch")
    except UnavailableError as error:
        pytest.skip(str(error))
    script = load_script("benchmark_training")
    script.CANVAS = 64
    script.NETWORKS["SRVGGNetCompact"][1].update(num_feat=4, num_conv=1)
    (row,) = script.measure(["SRVGGNetCompact"], 2, 32, torch.device("cpu"), repeat=1)
    assert row["ratio"] == pytest.approx(row["reference_ms"] / row["ours_ms"])
    ours = script.Ours("SRVGGNetCompact", 2, 32, torch.device("cpu"))
    theirs = script.Theirs("SRVGGNetCompact", 2, 32, torch.device("cpu"))
    for side in (ours, theirs):
        network = side.learner.network if side is ours else side.network
        before = [p.clone() for p in network.parameters()]
        assert 0 < side() < 1
        changed = [not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)]
        assert all(changed)
