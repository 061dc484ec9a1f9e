"""Gradient methods whose weights TorchJD computes from the Gram matrix.

Only TorchJD's stateless ``*Weighting`` classes are used (Gram matrix in, weights out); states,
absent tasks and failures are ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from realsr_mtl.errors import UnavailableError
from realsr_mtl.strategies.gradients.base import GRADIENTS, GradientCombination, SolverError
from realsr_mtl.strategies.setting import Setting


class TorchJDCombination(GradientCombination):
    """A method of the package torchjd."""

    solver: ClassVar[str]
    """Name of the class in ``torchjd.aggregation``."""
    packages: ClassVar[str] = "realsr-mtl[gradients]"
    """What to install."""

    def __init__(
        self, setting: Setting, arguments: Mapping[str, Any] | None = None, **others: Any
    ) -> None:
        super().__init__(setting, **others)
        try:
            aggregation = importlib.import_module("torchjd.aggregation")
            self._solver = getattr(aggregation, self.solver)(**(arguments or {}))
        except ImportError as error:
            reason = str(error).partition(" Install them")[0].rstrip(".")
            raise UnavailableError(
                f"{type(self).__name__} needs a package that is not installed ({reason}); "
                f"pip install '{self.packages}'"
            ) from None

    def solve(self, gram: Tensor, number: int) -> Tensor:
        """Ask the solver; its random draws come from the run's streams."""
        seed = int(self.setting.streams.seeds("gradient solver", torch.tensor([number]), 1))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            try:
                return self._solver(gram)
            except Exception as error:  # solvers fail in many ways; every one is counted
                reason = str(error).strip().splitlines() or [type(error).__name__]
                raise SolverError(reason[0]) from error


@GRADIENTS.register()
class MGDA(TorchJDCombination):
    """The shortest vector in the convex hull of the gradients: no task gets worse.

    Sener and Koltun, "Multi-Task Learning as Multi-Objective Optimization" (NeurIPS 2018):
    ``min_lambda |sum_k lambda_k g_k|^2`` over the simplex, by Frank and Wolfe.

    Args:
        epsilon: step size below which the solver stops; TorchJD's 1e-3.
        max_iters: largest number of its steps; TorchJD's 100.
    """

    solver = "MGDAWeighting"

    def __init__(
        self, setting: Setting, *, epsilon: float = 1e-3, max_iters: int = 100, **others: Any
    ) -> None:
        super().__init__(setting, {"epsilon": epsilon, "max_iters": max_iters}, **others)


@GRADIENTS.register()
class PCGrad(TorchJDCombination):
    """Every gradient loses its parts against the others, in random order.

    Yu et al., "Gradient Surgery for Multi-Task Learning" (NeurIPS 2020).
    """

    solver = "PCGradWeighting"
    sums = True


@GRADIENTS.register(aliases=["IMTL-G", "IMTL_G"])
class IMTLG(TorchJDCombination):
    """The direction with equal projections on all gradients.

    Liu et al., "Towards Impartial Multi-Task Learning" (ICLR 2021): ``lambda ~ G^+ sqrt(diag G)``.
    Weights may be negative.
    """

    solver = "IMTLGWeighting"


@GRADIENTS.register(aliases=["Aligned-MTL"])
class AlignedMTL(TorchJDCombination):
    """The gradients after aligning the principal components of their matrix.

    Senushkin et al., "Independent Component Alignment for Multi-Task Learning" (CVPR 2023).

    Args:
        scale_mode: singular value that all are set to: the smallest (as published in the paper),
            the median or the root mean square (as in its code).
    """

    solver = "AlignedMTLWeighting"

    def __init__(
        self,
        setting: Setting,
        *,
        scale_mode: Literal["min", "median", "rmse"] = "min",
        **others: Any,
    ) -> None:
        # the argument came with TorchJD 0.13; the default needs none
        arguments = {} if scale_mode == "min" else {"scale_mode": scale_mode}
        super().__init__(setting, arguments, **others)


@GRADIENTS.register()
class CAGrad(TorchJDCombination):
    """The best step for the worst task within a ball around the mean gradient.

    Liu et al., "Conflict-Averse Gradient Descent" (NeurIPS 2021).

    Args:
        c: radius of the ball in lengths of the mean gradient; 0.4 in the paper's NYUv2 runs, 0 is
            the mean gradient.
    """

    solver = "CAGradWeighting"

    def __init__(self, setting: Setting, *, c: float = 0.4, **others: Any) -> None:
        if not c >= 0:
            raise ValueError(f"c must not be negative, found {c}")
        super().__init__(setting, {"c": c}, **others)


@GRADIENTS.register()
class UPGrad(TorchJDCombination):
    """The mean of the gradients, each projected so that it conflicts with none.

    Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization" (2024). Its quadratic
    programs need quadprog, which is licensed under the GPL and not part of our extras.
    """

    solver = "UPGradWeighting"
    packages = "torchjd[quadprog_projector]"
