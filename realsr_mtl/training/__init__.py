"""Training: the trainer and what it writes."""

from realsr_mtl.training.command import train
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.trainer import Trainer

__all__ = ["Trainer", "TrainingPlan", "train"]
