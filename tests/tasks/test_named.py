from __future__ import annotations

import logging

import pytest
import torch

from realsr_mtl.tasks import TaskTable, by_name, from_names


@pytest.fixture(autouse=True)
def _propagate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)


@pytest.mark.parametrize("values", [[0.1, 1 / 3, float("inf")], [1, 2**40, -1]])
def test_what_is_saved_by_name_comes_back_bit_for_bit(values, caplog):
    names = ["a", "b", "c"]
    array = torch.tensor(values, dtype=torch.float64 if 0.1 in values else torch.int64)
    saved = by_name(names, array)
    assert torch.equal(from_names(names, saved, torch.zeros_like(array), "x"), array)
    swapped = from_names(["c", "a", "b"], saved, torch.zeros_like(array), "x")
    assert torch.equal(swapped, array[[2, 0, 1]])
    assert not caplog.records


def test_tasks_that_come_and_go_are_reported_and_shift_nothing(caplog):
    start = torch.full((3,), 7.0, dtype=torch.float64)
    found = from_names(["b", "new", "a"], {"a": 1.0, "b": 2.0, "old": 3.0}, start, "averages")
    assert found.tolist() == [2, 7, 1]
    assert "averages: nothing is saved for task 'new'" in caplog.text
    assert "averages: task 'old' is no more" in caplog.text


def test_a_table_keeps_its_rows_by_name(caplog):
    table = TaskTable(["a", "b"], ("sum", "count"), "sums")
    table.values[:] = torch.tensor([[0.1, 0.2], [3.0, 4.0]])
    assert table.state_dict()["count"] == {"a": 3.0, "b": 4.0}
    other = TaskTable(["b", "new"], ("sum", "count"), "sums")
    other.load_state_dict(table.state_dict())
    assert other.values[:, 0].tolist() == [table.values[0, 1].item(), 4.0]
    assert other.values[:, 1].tolist() == [0, 0]
    assert "sums: nothing is saved for task 'new'" in caplog.text


def test_a_long_list_is_cut(caplog):
    from_names([f"t{i}" for i in range(9)], {}, torch.zeros(9), "x")
    assert "'t0', 't1', 't2' and 6 more" in caplog.text
