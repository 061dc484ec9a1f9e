"""Exact training volumes: whole numbers of samples for shares, and the deck they are dealt from."""

from __future__ import annotations

import torch
from torch import Tensor

from realsr_mtl.degradations import RandomStreams


def volumes(shares: Tensor, samples: int) -> Tensor:
    """Whole numbers of samples, int64 ``[T]``: ``floor(q_t N)`` and the largest remainders.

    They add up to ``samples`` exactly; of equal remainders the first tasks get one more.
    """
    exact = shares.double() * samples
    counts = exact.floor()
    missing = samples - int(counts.sum())
    order = (counts - exact).argsort(stable=True)  # ascending: largest remainder first
    counts[order[:missing]] += 1
    return counts.long()


def deck(counts: Tensor, streams: RandomStreams, number: int, stratified: bool = False) -> Tensor:
    """The tasks of the samples of an interval in the order of their dealing, int64 ``[N]``.

    Args:
        counts: int64 ``[T]``, how many samples each task gets.
        streams: the run's random streams.
        number: of the interval; every interval has a shuffling of its own.
        stratified: spread the samples of each task evenly over the interval instead of shuffling
            all together.
    """
    tasks = torch.repeat_interleave(torch.arange(len(counts)), counts)
    noise = streams.uniform("deck", torch.tensor([number]), len(tasks))[0]
    if stratified:
        first = counts.cumsum(0) - counts
        rank = torch.arange(len(tasks)) - first[tasks]
        noise = (rank + noise) / counts[tasks]
    return tasks[noise.argsort(stable=True)]
