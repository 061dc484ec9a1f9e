"""SEAL's cases, lines and scores, from an option file with a ``seal`` block."""

from realsr_mtl.training.seal.benchmark import Benchmark
from realsr_mtl.training.seal.choice import choose_cases
from realsr_mtl.training.seal.disjoint import check_network_apart
from realsr_mtl.training.seal.line_training import LineTraining
from realsr_mtl.training.seal.network_scores import check_lines_apply, score_network
from realsr_mtl.training.seal.scorer import CaseScorer

__all__ = [
    "Benchmark",
    "CaseScorer",
    "LineTraining",
    "check_lines_apply",
    "check_network_apart",
    "choose_cases",
    "score_network",
]
