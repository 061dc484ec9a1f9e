"""Gradient combination: how the gradients of the tasks make one step."""

from realsr_mtl.strategies.gradients.base import GRADIENTS, GradientCombination
from realsr_mtl.strategies.gradients.jacobian_descent import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    PCGrad,
    UPGrad,
)
from realsr_mtl.strategies.gradients.nash import NashMTL

__all__ = [
    "GRADIENTS",
    "IMTLG",
    "MGDA",
    "AlignedMTL",
    "CAGrad",
    "GradientCombination",
    "NashMTL",
    "PCGrad",
    "UPGrad",
]
