from __future__ import annotations

import torch

from realsr_mtl.tasks import TaskAverages

CPU = torch.device("cpu")


def test_sums_and_counts_per_task():
    averages = TaskAverages(4, CPU)
    averages.add(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2, 0, 2]))
    averages.add(torch.tensor([8.0], requires_grad=True), torch.tensor([0]))
    packed = averages.packed()
    assert packed.tolist() == [[10, 0, 5, 0], [2, 0, 2, 0]]
    assert packed.dtype == torch.float64 and not packed.requires_grad


def test_packed_sums_survive_a_reduction():
    first, second = TaskAverages(2, CPU), TaskAverages(2, CPU)
    first.add(torch.tensor([1.0]), torch.tensor([0]))
    second.add(torch.tensor([2.0, 3.0]), torch.tensor([0, 1]))
    first.load(first.packed() + second.packed())
    assert first.packed().tolist() == [[3, 3], [2, 1]]
    snapshot = first.packed()
    first.reset()
    assert first.packed().tolist() == [[0, 0], [0, 0]]
    assert snapshot.tolist() == [[3, 3], [2, 1]]


def test_many_small_losses_lose_no_precision():
    averages = TaskAverages(1, CPU)
    for _ in range(100):
        averages.add(torch.full((1000,), 0.1), torch.zeros(1000, dtype=torch.int64))
    total, count = averages.packed()[:, 0].tolist()
    assert count == 100_000
    assert abs(total / count - float(torch.tensor(0.1))) < 1e-12
