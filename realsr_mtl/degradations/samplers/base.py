"""The base of every degradation sampler, and their registry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.space import RegionSampler, Space
from realsr_mtl.degradations.streams import RandomStreams
from realsr_mtl.registry import Registry

Probability = Annotated[float, Field(ge=0, le=1)]
"""The type of an option that is a probability."""


class DegradationSampler:
    """Draws degradation records from a space.

    Args:
        pipeline: the pipeline that applies the records.
        scale: up-scaling factor of the task.
        space: the described space.
        noises: how many noise seeds a record holds (``noise_seed1``, ...).
    """

    def __init__(self, pipeline: str, scale: int, space: Space, noises: int) -> None:
        self.pipeline = pipeline
        self.scale = scale
        self.space = space
        self._noises = noises
        self._whole = space.sampler([{}])

    def sample(
        self,
        index: Tensor,
        streams: RandomStreams,
        region: Tensor | None = None,
        tables: RegionSampler | None = None,
    ) -> DegradationParameters:
        """Draw the records of the given samples.

        Args:
            index: int64 ``[B]`` global sample numbers; equal numbers give equal records.
            streams: the random streams.
            region: int64 ``[B]``, which of the regions in ``tables``; default: the whole space.
            tables: from ``space.sampler(regions)``.
        """
        if (tables is None) != (region is None):
            raise ValueError("regions and their tables are given together")
        if tables is None or region is None:
            tables, region = self._whole, torch.zeros_like(index)
        return self._with_seeds(tables.sample(region, index, streams), index, streams)

    def pinned(
        self, record: Mapping[str, float | None], index: Tensor, streams: RandomStreams
    ) -> DegradationParameters:
        """One point of the space for all of the given samples, with noise of their own.

        Args:
            record: the value of every parameter of the space (None where there is none), as
                `DegradationParameters.to_json` writes it; noise seeds in it are not used.
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.
        """
        missing = self.space.parameters.keys() - record.keys()
        if missing:
            raise ValueError(f"the record lacks the parameter '{sorted(missing)[0]}'")
        values = {}
        for name in self.space.parameters:
            value = record[name]
            number = math.nan if value is None else float(value)
            values[name] = torch.full((len(index),), number, dtype=torch.float64)
        return self._with_seeds(values, index, streams)

    def _with_seeds(
        self, values: dict[str, Tensor], index: Tensor, streams: RandomStreams
    ) -> DegradationParameters:
        if self._noises:
            seeds = streams.seeds("noise", index.cpu(), self._noises)
            for stage in range(self._noises):
                values[f"noise_seed{stage + 1}"] = seeds[:, stage].clone()
        return DegradationParameters(self.pipeline, self.scale, values)


SAMPLERS: Registry[DegradationSampler] = Registry("degradation")
