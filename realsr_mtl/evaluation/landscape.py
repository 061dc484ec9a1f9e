"""How good a network is all over a degradation space: many records, the same patches."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from realsr_mtl.degradations import DegradationSampler, RandomStreams, degrade
from realsr_mtl.degradations.operators.quantise import to_levels
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.probes import Patches, restored_psnr, score_all
from realsr_mtl.processes import Processes


class Landscape:
    """Records of the natural distribution, each applied to the same patches.

    The patches are the same because content explains about nine tenths of the variance of the PSNR
    of single images.

    Args:
        sampler: the degradation sampler.
        patches: HR patches of one size.
        count: number of records.
        seed: of records and noise.
        processes: records are shared out over them.

    Attributes:
        table: parameter to values ``[count]``; NaN where a record has none.

    Raises:
        UserError: patches of several sizes.
    """

    def __init__(
        self,
        sampler: DegradationSampler,
        patches: Patches,
        count: int,
        seed: int,
        processes: Processes,
    ) -> None:
        sizes = {tuple(target.shape[-2:]) for target in patches.targets}
        if len(sizes) > 1:
            raise UserError(
                f"the patches have {len(sizes)} sizes because some images are smaller than "
                "datasets:probe:gt_size; choose a smaller gt_size or larger images"
            )
        self._sampler, self._patches, self._processes = sampler, patches, processes
        self._streams = RandomStreams(seed)
        self._targets = torch.stack(patches.targets)
        self._records = sampler.sample(torch.arange(count), self._streams)
        names = sampler.space.parameters
        self.table = {name: self._records[name].double().numpy() for name in names}

    def psnr(self, network: nn.Module) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Mean PSNR-Y in dB over the patches for every record, ``[count]``."""
        scores = score_all(network, self._score, len(self._records), self._processes)
        return np.array(scores)

    def _score(self, network: nn.Module, number: int) -> float:
        count = len(self._targets)
        index = torch.arange(number * count, (number + 1) * count)  # noise of their own
        point = self._records.select([number] * count)
        records = self._sampler.with_noise(point, index, self._streams)
        lq = to_levels(degrade(self._targets, records)).byte()
        targets = self._patches.targets
        device = self._processes.device
        values = restored_psnr(network, lq, targets, self._sampler.scale, device)
        return math.fsum(values) / count
