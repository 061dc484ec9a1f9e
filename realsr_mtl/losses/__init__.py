"""Losses, reduced per sample: task weighting needs one number per sample."""

from realsr_mtl.losses.base import LOSSES, ImageLoss, Loss
from realsr_mtl.losses.contrastive import ContrastiveLoss
from realsr_mtl.losses.gradient import GradientLoss
from realsr_mtl.losses.pixel import CharbonnierLoss, L1Loss, MSELoss, PixelLoss
from realsr_mtl.losses.similarity import SSIMLoss

__all__ = [
    "LOSSES",
    "CharbonnierLoss",
    "ContrastiveLoss",
    "GradientLoss",
    "ImageLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "PixelLoss",
    "SSIMLoss",
]
