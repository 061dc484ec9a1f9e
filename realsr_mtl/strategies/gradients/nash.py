"""Nash-MTL: the bargaining solution between the tasks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realsr_mtl.strategies.gradients.base import GRADIENTS, GradientCombination, SolverError
from realsr_mtl.strategies.setting import Setting


@GRADIENTS.register(aliases=["Nash-MTL"])
class NashMTL(GradientCombination):
    """The Nash bargaining solution, ``G lambda = 1 / lambda`` with ``lambda > 0``.

    Navon et al., "Multi-Task Learning as a Bargaining Game" (ICML 2022). The equation says that
    ``1/2 lambda^T G lambda - sum_k log lambda_k``, a convex function, has its minimum; damped
    Newton steps find it. (The published code linearises the problem for a solver that current
    cvxpy no longer contains, and falls back to equal weights without a word.) There is no solution
    where some combination of the gradients with positive weights is zero: that counts as a failure.

    Args:
        tolerance: largest Newton decrement at the end.
        max_iters: largest number of Newton steps.
    """

    def __init__(
        self, setting: Setting, *, tolerance: float = 1e-6, max_iters: int = 100, **others: Any
    ) -> None:
        super().__init__(setting, **others)
        if not tolerance > 0 or max_iters < 1:
            raise ValueError(f"tolerance, max_iters must be positive: {tolerance}, {max_iters}")
        self._tolerance, self._max_iters = tolerance, max_iters

    def solve(self, gram: Tensor, number: int) -> Tensor:
        """Newton's method, damped by ``1 / (1 + decrement)`` as self-concordance allows."""
        weights = torch.full((len(gram),), len(gram) ** -0.5, dtype=gram.dtype)
        for _ in range(self._max_iters):
            slope = gram @ weights - 1 / weights
            try:
                step = torch.linalg.solve(gram + torch.diag(weights**-2), slope)
            except RuntimeError:  # singular: the weights are so large that they add nothing
                break
            decrement = float((slope @ step).clamp(min=0).sqrt())
            weights = weights - step / (1 + decrement)
            if decrement < self._tolerance:
                return weights
        raise SolverError("the gradients of the tasks nearly cancel each other")
