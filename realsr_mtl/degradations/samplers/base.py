"""The base of every degradation sampler, and their registry."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.degradations.parameters import DegradationParameters
from realsr_mtl.degradations.space import RegionSampler, Space
from realsr_mtl.degradations.streams import RandomStreams
from realsr_mtl.registry import Registry


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
        values = self._finish(tables.sample(region, index, streams))
        seeds = streams.seeds("noise", index.cpu(), self._noises)
        for stage in range(self._noises):
            values[f"noise_seed{stage + 1}"] = seeds[:, stage].clone()
        return DegradationParameters(self.pipeline, self.scale, values)

    def _finish(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Set the parameters that follow from others."""
        return values


SAMPLERS: Registry[DegradationSampler] = Registry("degradation")
