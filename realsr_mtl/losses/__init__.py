"""Losses, reduced per sample: task weighting needs one number per sample."""

from realsr_mtl.losses.adversarial import GANLoss, RelativisticGANLoss
from realsr_mtl.losses.artefacts import artefact_map
from realsr_mtl.losses.base import LOSSES, ImageLoss, Loss
from realsr_mtl.losses.contrastive import ContrastiveLoss
from realsr_mtl.losses.frequency import FFTLoss
from realsr_mtl.losses.gradient import GradientLoss
from realsr_mtl.losses.lpips import LPIPSLoss
from realsr_mtl.losses.network import NetworkLoss
from realsr_mtl.losses.perceptual import PerceptualLoss
from realsr_mtl.losses.pixel import CharbonnierLoss, L1Loss, MSELoss, PixelLoss
from realsr_mtl.losses.similarity import MSSSIMLoss, SimilarityLoss, SSIMLoss
from realsr_mtl.losses.vgg import VGGFeatures

__all__ = [
    "LOSSES",
    "CharbonnierLoss",
    "ContrastiveLoss",
    "FFTLoss",
    "GANLoss",
    "GradientLoss",
    "ImageLoss",
    "L1Loss",
    "LPIPSLoss",
    "Loss",
    "MSELoss",
    "MSSSIMLoss",
    "NetworkLoss",
    "PerceptualLoss",
    "PixelLoss",
    "RelativisticGANLoss",
    "SSIMLoss",
    "SimilarityLoss",
    "VGGFeatures",
    "artefact_map",
]
