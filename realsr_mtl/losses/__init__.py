"""Losses, reduced per sample: task weighting needs one number per sample."""

from realsr_mtl.losses.pixel import LOSSES, CharbonnierLoss, L1Loss, MSELoss, PixelLoss

__all__ = ["LOSSES", "CharbonnierLoss", "L1Loss", "MSELoss", "PixelLoss"]
