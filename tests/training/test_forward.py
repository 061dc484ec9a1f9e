from __future__ import annotations

import torch
from torch import nn

from realsr_mtl.batch import TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.losses import L1Loss
from realsr_mtl.processes import Processes
from realsr_mtl.training.forward import Forward
from realsr_mtl.training.loss_terms import LossTerms
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.precision import Precision
from tests._asserts import global_randomness_untouched
from tests._options import tiny


def _forward(seed: int = 0, rank: int = 0) -> Forward:
    network = nn.Sequential(nn.Upsample(scale_factor=4), nn.Dropout(0.5))
    precision = Precision(TrainingPlan(tiny()).train, torch.device("cpu"))
    terms = LossTerms({"pix": L1Loss()}, ["all"])
    processes = Processes(rank, 2)
    return Forward(network, network, terms, ["all"], precision, RandomStreams(seed), processes)


def _batch() -> TaskBatch:
    ones = torch.ones(3, 3, 8, 8)
    return TaskBatch(ones, torch.zeros(3, 3, 32, 32), torch.zeros(3).long(), torch.arange(3), None)


def test_dropout_depends_on_the_seed_the_micro_batch_and_the_process_alone():
    with global_randomness_untouched():
        first = _forward()(_batch(), 4).weighted
    assert first.shape == (3,)
    torch.rand(7)
    assert torch.equal(_forward()(_batch(), 4).weighted, first)
    assert torch.equal(_forward()(_batch(), 4, alone=True).weighted, first)
    for other in (
        _forward()(_batch(), 5),
        _forward(seed=1)(_batch(), 4),
        _forward(rank=1)(_batch(), 4),
    ):
        assert not torch.equal(other.weighted, first)


def test_the_network_sees_the_image_and_nothing_else():
    seen: list[tuple[object, ...]] = []

    class Spy(nn.Upsample):
        def forward(self, *arguments: torch.Tensor, **named: object) -> torch.Tensor:
            seen.append((*arguments, *named.values()))
            return super().forward(*arguments)

    forward = _forward()
    forward.network = Spy(scale_factor=4)
    batch = _batch()
    forward(batch, 0, alone=True)
    assert len(seen) == 1 and len(seen[0]) == 1
    assert torch.equal(seen[0][0], batch.lq)


def test_without_a_wrapper_there_is_nothing_to_hold_back():
    forward = _forward()
    with forward.without_exchange(True), forward.without_exchange(False):
        assert forward(_batch(), 0).total.shape == (3,)
