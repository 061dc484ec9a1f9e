from __future__ import annotations

import pytest
import torch

from realsr_mtl.strategies import StrategyPart
from tests._strategies import setting


def test_a_part_without_decisions_never_has_to_decide():
    part = StrategyPart(setting())
    assert not part.due(0) and not part.needs_probes
    assert part.update(0, torch.zeros(4)) == {} and part.columns() == {}
    part.load_state_dict(part.state_dict())
    with pytest.raises(ValueError, match="StrategyPart does not keep extra, weights"):
        part.load_state_dict({"weights": 1, "extra": 2})
