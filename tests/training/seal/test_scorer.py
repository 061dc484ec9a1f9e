from __future__ import annotations

import pytest
from torch import nn

from realsr_mtl.archs import build_network
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.training.seal import CaseScorer
from tests.training.seal._plans import benchmark, chosen


class Nearest(nn.Module):
    def forward(self, x):
        return x.repeat_interleave(4, -1).repeat_interleave(4, -2)


def scorer(*overrides: str) -> CaseScorer:
    own = benchmark(*overrides)
    return CaseScorer(own, chosen(own), Processes())


def test_every_case_is_scored_on_all_images():
    own = scorer()
    case = own.cases.names[1]
    bicubic, nearest = own.score(None, case), own.score(Nearest(), case)
    assert bicubic.keys() == {"psnr", "ssim"}
    assert bicubic != nearest
    assert scorer().score(Nearest(), case) == nearest
    assert own.score(Nearest(), own.cases.names[0]) != nearest


def test_inputs_are_the_same_for_everyone_and_depend_on_the_seed():
    own = scorer()
    case = own.cases.names[0]
    before = own.inputs(case)
    own.forget(case)
    assert own.inputs(case) == before == scorer().inputs(case)
    assert scorer("datasets:val:seed=6").inputs(case) != before
    assert own.inputs(own.cases.names[1]) != before


def test_what_scores_depend_on():
    about = scorer().about()
    assert about["cases"] == benchmark().cases().digest
    assert about["metrics"]["psnr"]["crop_border"] == 0
    assert scorer("datasets:val:max_images=1").about()["images"] != about["images"]
    assert scorer("datasets:val:seed=6").about()["images"] != about["images"]
    assert scorer("datasets:val:name=other").about() == about


def test_a_network_with_heads_is_refused():
    block = {
        "type": "TaskHeads",
        "trunk": {"type": "MSRResNet", "num_feat": 4, "num_block": 1},
        "heads": {"noise": {"scale": 4}},
    }
    own = scorer()
    with pytest.raises(UserError, match="one head for each task has none for a case"):
        own.score(build_network(block, 4, 0), own.cases.names[0])
