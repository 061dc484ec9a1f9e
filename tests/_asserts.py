"""Properties that many tests check."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_KS = math.sqrt(-math.log(1e-5 / 2) / 2)  # asymptotic Kolmogorov-Smirnov limit at level 1e-5


def assert_frequency(hits: Tensor, probability: float, errors: float = 4.5) -> None:
    """A share of true entries lies within some standard errors of its probability."""
    n = hits.numel()
    limit = errors * math.sqrt(probability * (1 - probability) / n)
    assert abs(hits.double().mean().item() - probability) <= limit


def assert_distributed(sample: Tensor, cdf: Callable[[Tensor], Tensor]) -> None:
    """One-sample Kolmogorov-Smirnov test."""
    n = sample.numel()
    expected = cdf(sample.flatten().double().sort().values)
    rank = torch.arange(n + 1, dtype=torch.float64) / n
    distance = torch.maximum((rank[1:] - expected).abs(), (expected - rank[:-1]).abs()).max()
    assert distance * math.sqrt(n) <= _KS


def assert_uniform(sample: Tensor, low: float, high: float) -> None:
    """Values fill [low, high) evenly."""
    assert sample.numel() > 0 and sample.min() >= low and sample.max() < high
    assert_distributed(sample, lambda x: (x - low) / (high - low))


def assert_uniform_on(sample: Tensor, values: list[int] | range) -> None:
    """Values are the given ones, equally often."""
    assert set(sample.unique().tolist()) == set(map(float, values))
    for value in values:
        assert_frequency(sample == value, 1 / len(values))


def assert_same_distribution(first: Tensor, second: Tensor) -> None:
    """Two-sample Kolmogorov-Smirnov test; NaN counts as one more value."""
    a, b = (np.sort(np.nan_to_num(x.numpy(), nan=-1e9)) for x in (first, second))
    grid = np.union1d(a, b)
    distance = np.abs(_ecdf(a, grid) - _ecdf(b, grid)).max()
    assert distance * math.sqrt(len(a) * len(b) / (len(a) + len(b))) <= _KS


def _ecdf(ordered: npt.NDArray[np.float64], grid: npt.NDArray[np.float64]) -> npt.NDArray:
    return np.searchsorted(ordered, grid, side="right") / len(ordered)


def assert_eight_bit(image: Tensor) -> None:
    """Values are multiples of 1/255 in [0, 1], bit for bit."""
    assert image.dtype == torch.float32
    levels = (image * 255).round()
    assert levels.min() >= 0 and levels.max() <= 255
    assert torch.equal(levels / 255, image)


@contextlib.contextmanager
def global_randomness_untouched() -> Iterator[None]:
    """The block leaves the generators of random, numpy and torch where they are."""

    def states() -> tuple[object, bytes, bytes]:
        legacy = np.random.get_state(legacy=True)
        return random.getstate(), repr(legacy).encode(), torch.get_rng_state().numpy().tobytes()

    before = states()
    yield
    assert states() == before
