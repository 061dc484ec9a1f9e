"""Evaluation: frozen tasks, tiled inference, per-task tables."""

from realsr_mtl.evaluation.evaluator import Evaluator, ImageScore
from realsr_mtl.evaluation.frozen import EvaluationSet, FrozenImage
from realsr_mtl.evaluation.inference import Inference, restore
from realsr_mtl.evaluation.probes import Patches, ProbeSet, cut_patches
from realsr_mtl.evaluation.tiling import Tile

__all__ = [
    "EvaluationSet",
    "Evaluator",
    "FrozenImage",
    "ImageScore",
    "Inference",
    "ProbeSet",
    "Tile",
    "Patches",
    "cut_patches",
    "restore",
]
