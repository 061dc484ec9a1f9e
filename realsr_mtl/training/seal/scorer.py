"""Scores of networks on single cases."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from torch import nn

from realsr_mtl.archs import TaskHeads
from realsr_mtl.data import to_tensor
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import EvaluationSet, Evaluator, ImageScore
from realsr_mtl.metrics.base import to_uint8
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import CaseTasks
from realsr_mtl.training.seal.benchmark import Benchmark


class CaseScorer:
    """Means of the metrics over the images of the report, case by case, in float32.

    The LQ image of an HR image under a case depends on the seed of the data set and on the names of
    both only: every network and both lines see the same pixels.

    Args:
        benchmark: the checked options.
        cases: the cases.
        processes: this process.
    """

    def __init__(self, benchmark: Benchmark, cases: CaseTasks, processes: Processes) -> None:
        plan = benchmark.plan
        self.benchmark, self.cases = benchmark, cases
        self.metrics = benchmark.metrics()
        self._images = benchmark.report_images()
        self._dataset = plan.options.datasets[benchmark.phase]
        self._scale, self._processes = plan.options.scale, processes
        self._sets: dict[str, EvaluationSet] = {}

    def score(self, network: nn.Module | None, case: str) -> dict[str, float]:
        """Mean of each metric; of bicubic up-scaling without a network."""
        if isinstance(network, TaskHeads):
            raise UserError(
                "a network with one head for each task has none for a case; export one of its "
                "heads, or evaluate a network without"
            )
        evaluator = Evaluator([self._set(case)], self.metrics, self._processes, progress=False)
        if network is None:
            return self._means(evaluator.score_bicubic())
        return self._means(evaluator.score_network(network))

    def _means(self, scores: Sequence[ImageScore]) -> dict[str, float]:
        return {
            name: math.fsum(score.values[name] for score in scores) / len(scores)
            for name in self.metrics
        }

    def inputs(self, case: str) -> str:
        """SHA-256 of the LQ and HR images of a case."""
        digest = hashlib.sha256()
        own = self._set(case)
        for entry in range(len(own)):
            image = own.load(entry)
            assert image.gt is not None
            digest.update(f"{image.name} {tuple(image.lq.shape)}".encode())
            digest.update(to_uint8(image.lq[0]).tobytes() + image.gt.tobytes())
        return digest.hexdigest()

    def forget(self, case: str) -> None:
        """Drop the LQ images of a case from memory."""
        self._sets.pop(case, None)

    def about(self) -> dict[str, Any]:
        """What scores depend on beside the network: cases, images, metrics."""
        return {
            "cases": self.cases.digest,
            "images": self._images_digest(),
            "metrics": self.benchmark.metric_definitions(self.metrics),
        }

    def _images_digest(self) -> str:
        """SHA-256 of names, HR pixels and all that is done to them before the degradation."""
        own = self._dataset
        digest = hashlib.sha256(f"{own.seed} {own.crop_multiple} {self._scale}".encode())
        for position in range(min(len(self._images), own.max_images or len(self._images))):
            image = self._images.load(position)
            assert image.gt is not None
            pixels = to_uint8(to_tensor(image.gt))
            digest.update(f"{image.name} {pixels.shape}".encode() + pixels.tobytes())
        return digest.hexdigest()

    def _set(self, case: str) -> EvaluationSet:
        if case not in self._sets:
            self._sets[case] = EvaluationSet(
                case,
                self._images,
                self._scale,
                self.cases,
                chosen=[case],
                seed=self._dataset.seed,
                max_images=self._dataset.max_images,
                max_failed=0,
                crop_multiple=self._dataset.crop_multiple,
            )
        return self._sets[case]
