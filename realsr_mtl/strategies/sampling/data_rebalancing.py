"""CDR-style data rebalancing: under-trained tasks get more samples, never heavier ones."""

from __future__ import annotations

from torch import Tensor

from realsr_mtl.strategies.imbalance import FocalIndicator
from realsr_mtl.strategies.part import TaskColumns
from realsr_mtl.strategies.sampling.base import SAMPLINGS
from realsr_mtl.strategies.sampling.controlled import ControlledVolumes


@SAMPLINGS.register(aliases=["CDR"])
class DataRebalancing(FocalIndicator, ControlledVolumes):
    """Controlled data rebalancing by focal weights on frozen probes (CDR-style).

    A reconstruction of what the abstract of Lin et al., "Controlled Data Rebalancing in Multi-Task
    Learning for Real-World Image Super-Resolution" (arXiv 2506.05607, 2025) describes; its
    equations and constants are not public. Before every interval the averaged network is scored
    on the probe images of each task (``datasets: probe``); the scores become weights
    (`FocalIndicator`), the weights volumes (`ControlledVolumes`). No sample's loss is weighted.
    """

    def update(self, iteration: int, psnr: Tensor | None) -> TaskColumns:
        """New weights from new scores, and the volumes of the next interval."""
        assert psnr is not None
        measured = self.measure(psnr)
        return {**measured, **self.next_interval(iteration, measured["omega"])}
