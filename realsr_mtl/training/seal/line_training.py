"""Training the acceptance and the excellence line: two networks for each case."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.seal.lines import Lines, read_lines_file
from realsr_mtl.seal.pool import Family
from realsr_mtl.tasks import CaseTasks, FamilyTasks, TaskSet
from realsr_mtl.training.checkpoints import save_atomically
from realsr_mtl.training.fine_tune import fine_tune
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.seal.benchmark import Benchmark
from realsr_mtl.training.seal.scorer import CaseScorer
from realsr_mtl.training.stage_folder import StageFolder

_logger = logging.getLogger(__name__)

LINES = ("acceptance", "excellence")
STAGES = {"warm": ("warm_*.pth",), "lines": ("lines.json",)}

_SPEED = {"num_worker_per_gpu", "pin_memory", "persistent_workers", "cache", "max_failed", "name"}
_SPEED |= {"dataset_enlarge_ratio", "patches", "tasks", "max_images"}
"""Keys of the training set that no number depends on."""

_ATTEMPTS = 2
"""A case whose larger network ends below the smaller one is trained once more."""

Value = dict[str, Any]


class LineTraining:
    """Trains and scores the networks of every case.

    Both networks of a case see the same crops, records and noise in the same order, for the same
    number of steps with the same loss; only the architecture differs. Each starts from weights of
    its own that were trained on the whole of all families, and is scored on the report's images.
    What is there is kept, case by case; what was made otherwise is an error.

    Args:
        benchmark: the checked options.
        families: what the networks are trained on before.
        cases: the cases.
        processes: this process.

    Raises:
        UserError: lines of other options in the folder.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        families: Mapping[str, Family],
        cases: CaseTasks,
        processes: Processes,
    ) -> None:
        self.benchmark, self._families, self._cases = benchmark, families, cases
        self._plan, self._processes = benchmark.plan, processes
        root = benchmark.root / "lines"
        self.folder = StageFolder(root, benchmark.overwrite, STAGES, "seal:folder")
        self.file = root / "lines.json"
        self.scorer = CaseScorer(benchmark, cases, processes)
        self._images = self._plan.images("train")
        self._plan.check_source(self._images, cases)
        resolved = self._plan.resolved()
        self._networks = {
            "acceptance": resolved["seal"]["acceptance"],
            "excellence": resolved["network_g"],
        }
        self._lined = [name for name in self.scorer.metrics if name in benchmark.tau]
        if not self._lined:
            raise UserError("no metric that lines can be trained for can be computed here")
        self._leading = self._lined[0]

    def run(self) -> Lines:
        """Train what is missing.

        Returns:
            The lines of all cases.
        """
        about = self._about()
        self.folder.claim("warm", self._warm_settings())
        self.folder.claim("lines", self._line_settings(about))
        values = self._known(about)
        missing = [name for name in self._cases.names if name not in values]
        if missing:
            for line in LINES:
                self._warm(line)
        for number, name in enumerate(missing, start=1):
            values[name] = self._case(name, f"{number} of {len(missing)}: {name}")
            self._write(about, values)
            self.scorer.forget(name)
        self._write(about, values)
        return read_lines_file(self.file)

    def _write(self, about: Mapping[str, Any], values: Mapping[str, Value]) -> None:
        ordered = {name: values[name] for name in self._cases.names if name in values}
        content = {"about": about, "lines_of": self._lined, "values": ordered}
        self.folder.write("lines.json", content)

    def _known(self, about: Mapping[str, Any]) -> dict[str, Value]:
        """Cases that are done.

        Raises:
            UserError: lines of cases that the case file lacks, or has with other parameters.
        """
        found = self.folder.read("lines.json") or {"values": {}}
        values: dict[str, Value] = found["values"]
        digests = dict(zip(self._cases.names, self._cases.digests, strict=True))
        other = [name for name, v in values.items() if digests.get(name) != v["record"]]
        if other and not self.benchmark.overwrite:
            what = "with other parameters" if other[0] in digests else "no more"
            raise UserError(
                f"'{self.file}' holds the lines of case '{other[0]}', which "
                f"'{self.benchmark.case_file}' has {what}; choose another seal:folder, or discard "
                "them with --overwrite"
            )
        return {name: value for name, value in values.items() if name not in other}

    # training

    def _warm(self, line: str) -> None:
        """Weights that every case starts from, trained on all families, blind."""
        file, steps = self.folder / f"warm_{line}.pth", self.benchmark.options.warm_iter
        if not steps or file.exists():
            return
        scale = self._plan.options.scale
        tasks = FamilyTasks(
            {name: SAMPLERS.build(own.space, scale) for name, own in self._families.items()},
            {name: own.share for name, own in self._families.items()},
            self._plan.dataset.batch_size_per_gpu,
        )
        plan = self._changed(line, steps, self._plan.options.manual_seed)
        _logger.info("training the %s network on the whole space, %d steps", line, steps)
        learner = fine_tune(
            plan, self._images, tasks, {"type": "Natural"}, self._processes, f"warm {line}"
        )
        save_atomically(learner.weights(), file)

    def _case(self, name: str, title: str) -> Value:
        """Train and score both networks of a case; again if they end in the wrong order."""
        seed, found = self._plan.options.manual_seed, dict[str, Any]()
        for attempt in range(_ATTEMPTS):
            scores = {
                line: self.scorer.score(self._network(line, name, seed + attempt, title), name)
                for line in LINES
            }
            found = {
                **{line: self._finite(scores[line], name) for line in LINES},
                "bicubic": self._finite(self.scorer.score(None, name), name),
                "seed": seed + attempt,
                "attempts": attempt + 1,
                "steps": self._plan.train.total_iter,
            }
            if self._gap(found) >= 0:
                break
            _logger.warning(
                "case %s: the excellence line is %.3f below the acceptance line (%s)%s",
                name,
                -self._gap(found),
                self._leading,
                "; trained once more with another seed" if not attempt else "; it will not count",
            )
        digests = dict(zip(self._cases.names, self._cases.digests, strict=True))
        return {**found, "record": digests[name], "inputs": self.scorer.inputs(name)}

    def _network(self, line: str, case: str, seed: int, title: str) -> nn.Module:
        plan = self._changed(line, self._plan.train.total_iter, seed, from_warm=True)
        sampling = {"type": "Fixed", "shares": {case: 1.0}}
        tasks: TaskSet = self._cases
        title = f"{title}, {line}"
        learner = fine_tune(plan, self._images, tasks, sampling, self._processes, title)
        return learner.evaluated

    def _changed(self, line: str, steps: int, seed: int, from_warm: bool = False) -> TrainingPlan:
        """The option file as the training of one network of one line."""
        schedule = {"type": "CosineAnnealingLR", "T_max": steps, "eta_min": self._eta_min}
        path = dict[str, Any](self._plan.resolved()["path"])
        start = from_warm and self.benchmark.options.warm_iter
        path["pretrain_network_g"] = str(self.folder / f"warm_{line}.pth") if start else None
        return self._plan.changed(
            [
                f"network_g={json.dumps(self._networks[line])}",
                f"path={json.dumps(path)}",
                f"train:total_iter={steps}",
                f"train:scheduler={json.dumps(schedule)}",
                f"manual_seed={seed % 2**32}",
            ]
        )

    def _gap(self, value: Value) -> float:
        difference = value["excellence"][self._leading] - value["acceptance"][self._leading]
        better = self.scorer.metrics[self._leading].better
        return float(difference if better == "higher" else -difference)

    def _finite(self, scores: dict[str, float], case: str) -> dict[str, float]:
        if not torch.tensor(list(scores.values())).isfinite().all():
            raise UserError(
                f"case '{case}' scores {scores}, which no line can be made of; lower the learning "
                "rate or look at the images"
            )
        return scores

    # what lines depend on

    @property
    def _eta_min(self) -> float:
        return self.benchmark.options.eta_min

    def _about(self) -> dict[str, Any]:
        """What is written beside the values."""
        recipe = {**self._recipe(), "total_iter": self._plan.train.total_iter}
        return {**self.scorer.about(), "recipe": recipe, **self._networks}

    def _warm_settings(self) -> dict[str, Any]:
        return {**self._recipe(), **self._networks}

    def _line_settings(self, about: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in about.items() if key != "cases"}

    def _recipe(self) -> dict[str, Any]:
        resolved = self._plan.resolved()
        data, names = resolved["datasets"]["train"], "\n".join(sorted(self._images.names))
        unread = {"total_iter", "scheduler", "compile"}
        families = {n: {"share": f.share, "space": f.space} for n, f in self._families.items()}
        return {
            "scale": resolved["scale"],
            "seed": resolved["manual_seed"],
            "warm_iter": self.benchmark.options.warm_iter,
            "eta_min": self._eta_min,
            "families": families,
            "train": {k: v for k, v in resolved["train"].items() if k not in unread},
            "data": {k: v for k, v in data.items() if k not in _SPEED},
            "images": hashlib.sha256(names.encode()).hexdigest(),
        }
