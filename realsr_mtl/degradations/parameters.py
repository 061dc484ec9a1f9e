"""The degradation record: every random choice that made an LQ image, one entry per sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class DegradationParameters:
    """A struct of tensors ``[B]``; together with the HR image it determines the LQ image.

    Attributes:
        pipeline: name of the registered pipeline that reads the record.
        scale: the HR side over the LQ side.
        values: parameter name to CPU tensor ``[B]``: float64, or int64 for noise seeds;
            NaN (null in JSON) where a sample has no such parameter.
    """

    pipeline: str
    scale: int
    values: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.values.values()))) if self.values else 0

    def __getitem__(self, name: str) -> Tensor:
        return self.values[name]

    def select(self, index: Tensor | Sequence[int]) -> DegradationParameters:
        """The records of the given samples."""
        chosen = torch.as_tensor(index, dtype=torch.int64)
        values = {name: tensor[chosen] for name, tensor in self.values.items()}
        return DegradationParameters(self.pipeline, self.scale, values)

    def to_json(self) -> list[dict[str, Any]]:
        """One plain dictionary per sample; Python's JSON writes and reads it back bit for bit."""
        columns = {
            name: [None if value != value else value for value in tensor.tolist()]
            for name, tensor in self.values.items()
        }
        return [
            {
                "pipeline": self.pipeline,
                "scale": self.scale,
                **{name: column[i] for name, column in columns.items()},
            }
            for i in range(len(self))
        ]

    @staticmethod
    def from_json(records: Sequence[Mapping[str, Any]]) -> DegradationParameters:
        """Inverse of `to_json`; all records must belong to one pipeline."""
        kinds = {(str(record["pipeline"]), int(record["scale"])) for record in records}
        if len(kinds) != 1:
            raise ValueError(f"records of one batch must share pipeline and scale, found {kinds}")
        if any(record.keys() != records[0].keys() for record in records):
            raise ValueError("records of one batch must have the same parameters")
        pipeline, scale = kinds.pop()
        names = [name for name in records[0] if name not in ("pipeline", "scale")]
        values = {}
        for name in names:
            column = [record[name] for record in records]
            for value in column:
                if value is not None and not isinstance(value, (int, float)):
                    raise ValueError(f"'{name}' must be a number or null, found {value!r}")
                if isinstance(value, int) and abs(value) >= 2**63:
                    raise ValueError(f"'{name}' is too large, {float(value):g}")
            if all(isinstance(value, int) for value in column):
                values[name] = torch.tensor(column, dtype=torch.int64)
            else:
                numbers = [float("nan") if value is None else value for value in column]
                values[name] = torch.tensor(numbers, dtype=torch.float64)
        return DegradationParameters(pipeline, scale, values)
