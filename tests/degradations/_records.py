"""Degradation records that several tests share."""

from __future__ import annotations

import dataclasses
import functools

import torch

from realsr_mtl.degradations import DegradationParameters, RandomStreams
from realsr_mtl.degradations.samplers import RealESRGAN


@functools.cache
def draws(count: int = 100_000, seed: int = 0) -> DegradationParameters:
    """Draws of the default second-order space."""
    sampler, streams = RealESRGAN(4), RandomStreams(seed)
    parts = [sampler.sample(index, streams).values for index in torch.arange(count).split(10_000)]
    values = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return DegradationParameters(sampler.pipeline, sampler.scale, values)


def changed(parameters: DegradationParameters, **values: float) -> DegradationParameters:
    """The records with some parameters set to one value."""
    new = {name: torch.full_like(parameters[name], value) for name, value in values.items()}
    return dataclasses.replace(parameters, values={**parameters.values, **new})
