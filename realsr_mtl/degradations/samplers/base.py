"""The base of every degradation sampler, and their registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from realsr_mtl.degradations.distributions import Region
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

    @property
    def kinds(self) -> Mapping[str, Region]:
        """The regions of a space that consists of several kinds of degradation; else empty."""
        return {}

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

    def with_noise(
        self, records: DegradationParameters, index: Tensor, streams: RandomStreams
    ) -> DegradationParameters:
        """Given records, one for each sample, with the noise seeds of the samples.

        Args:
            records: records of this space; noise seeds in them are not used.
            index: int64 ``[B]`` global sample numbers.
            streams: the random streams.

        Raises:
            ValueError: records of another space.
        """
        self.check_records(records)
        own = {name: records[name].double() for name in self.space.parameters}
        return self._with_seeds(own, index, streams)

    def check_records(self, records: DegradationParameters) -> None:
        """Refuse records of another pipeline, scale or set of parameters."""
        if (records.pipeline, records.scale) != (self.pipeline, self.scale):
            raise ValueError(
                f"the records are of pipeline '{records.pipeline}' x{records.scale}, the "
                f"degradation is '{self.pipeline}' x{self.scale}"
            )
        seeds = {f"noise_seed{stage + 1}" for stage in range(self._noises)}
        differing = sorted((records.values.keys() - seeds) ^ self.space.parameters.keys())
        if differing:
            lacks = differing[0] in self.space.parameters
            raise ValueError(
                f"the records {'lack' if lacks else 'have'} the parameter '{differing[0]}', "
                f"the degradation {'has' if lacks else 'lacks'} it"
            )

    def _with_seeds(
        self, values: dict[str, Tensor], index: Tensor, streams: RandomStreams
    ) -> DegradationParameters:
        if self._noises:
            seeds = streams.seeds("noise", index.cpu(), self._noises)
            for stage in range(self._noises):
                values[f"noise_seed{stage + 1}"] = seeds[:, stage].clone()
        return DegradationParameters(self.pipeline, self.scale, values)


SAMPLERS: Registry[DegradationSampler] = Registry("degradation")
