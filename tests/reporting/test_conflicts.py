from __future__ import annotations

from realsr_mtl.reporting.conflicts import conflict_matrix, most_opposed

RECORDS = [
    {"iter": 1, "loss": {"a": 1}, "cosine_with/a": {"a": 1.0, "b": -0.4, "c": None}},
    {"iter": 2, "cosine_with/a": {"a": 1.0, "b": -0.2, "c": None},
     "cosine_with/b": {"a": -0.2, "b": 1.0, "c": 0.5}},
]  # fmt: skip


def test_the_matrix_holds_means_over_the_log_lines() -> None:
    matrix = conflict_matrix(RECORDS)
    assert matrix is not None and list(matrix.columns) == ["a", "b"]
    assert [[c.text for c in line] for _, line in matrix.rows] == [["1", "-0.30"], ["-0.20", "1"]]
    red, blue = matrix.rows[0][1][1].background, matrix.rows[0][1][0].background
    assert int(red[1:3], 16) > int(red[5:], 16) and int(blue[5:], 16) > int(blue[1:3], 16)
    assert most_opposed(RECORDS) == ("a", "b", -0.3)


def test_without_gradients_there_is_none() -> None:
    assert conflict_matrix([{"iter": 1, "loss": {"a": 1}}]) is None
    assert most_opposed([]) is None
