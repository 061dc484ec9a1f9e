"""The training loop: steps, log lines, checkpoints, validation."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from realsr_mtl.batch import TaskBatch
from realsr_mtl.data import StreamBatch
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation import ProbeSet
from realsr_mtl.processes import Processes
from realsr_mtl.reporting import Tracker, training_line
from realsr_mtl.strategies import TaskColumns
from realsr_mtl.tasks import TaskLosses, TaskMeans, by_name
from realsr_mtl.training.checkpoints import (
    read_state,
    remove_old,
    save_atomically,
    weights_beside,
)
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.faults import Fault
from realsr_mtl.training.interrupt import Interrupt
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.loss_terms import StepLosses
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.probing import build_probes
from realsr_mtl.training.resume import compare_runs
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.skipped import SkippedSteps
from realsr_mtl.training.validation import Validation

_logger = logging.getLogger(__name__)


class Trainer:
    """Trains a network over tasks; an iteration is one optimiser step.

    Everything random comes from streams keyed by sample numbers, so the state of a run is its
    weights, optimiser and counters, and a resumed run equals an uninterrupted one.

    Args:
        plan: the checked options.
        folder: the run folder, made already.
        processes: this process among all.
        resume: a ``.state`` file to go on from, or None.
    """

    def __init__(
        self, plan: TrainingPlan, folder: RunFolder, processes: Processes, resume: Path | None
    ) -> None:
        self.plan, self.folder, self.processes = plan, folder, processes
        self._options = plan.options
        self._images = plan.images("train")
        all_tasks = plan.tasks(plan.sampler())
        self.tasks = plan.tasks_of(self._images, all_tasks, processes)
        plan.check_source(self._images, self.tasks)
        setting = plan.setting(self.tasks, processes)
        self._streams = setting.streams
        self.strategy = plan.strategy(setting)
        self.learner = Learner(plan, self.strategy, processes)
        targets = plan.targets(self.learner.network)
        self._probes: ProbeSet | None = None
        if self.strategy.needs_probes:
            self._probes = build_probes(plan, self.tasks, targets, processes)
        self._averages = TaskMeans(self.tasks.names, "losses", processes.device)
        terms = self.learner.terms
        self._terms = TaskMeans(terms.names, "loss terms", processes.device)
        self._seen = torch.zeros(len(self.tasks), dtype=torch.float64)
        self._clock = StepClock(processes.device)
        self._skipped = SkippedSteps(
            folder.nonfinite, processes, plan.train.max_skipped, self._global_batch()
        )
        self.iteration = self._logged = 0
        self.validation = Validation(plan, folder, processes, all_tasks, targets)
        self._batches = plan.batch_maker(self.tasks, self.strategy.sampling, targets, processes)
        path = self._options.path
        if resume is not None:
            self._load(resume)
        elif path.pretrain_network_g:
            _logger.info(
                "%s",
                self.learner.load_pretrained(
                    path.pretrain_network_g, path.param_key_g, path.strict_load_g
                ),
            )
        if resume is None and path.pretrain_network_d and self.learner.adversary:
            sentence = self.learner.load_discriminator(
                path.pretrain_network_d, path.param_key_d, path.strict_load_d
            )
            _logger.info("discriminator: %s", sentence)

    def run(self) -> bool:
        """Train to the end.

        Returns:
            False when Ctrl-C or SIGTERM ended the run early (it was saved).
        """
        total, logger = self.plan.train.total_iter, self._options.logger
        if self.iteration >= total:
            _logger.info("nothing to do: iteration %d of %d is reached", self.iteration, total)
            return True
        tracker = None
        if self.processes.is_main:
            events = self.folder.tensorboard if logger.use_tb_logger else None
            tracker = Tracker(self.folder.root, events, self.iteration)
        interrupt = Interrupt(self.processes)
        hidden = None if self.processes.is_main else True
        bar = tqdm(total=total, initial=self.iteration, unit="iter", disable=hidden)
        try:
            self.validation.start(tracker, self.iteration)
            patches = self._patches()
            self._clock.reset()
            while self.iteration < total:
                if self.strategy.due(self.iteration):
                    self._update_strategy(tracker)
                faults = self.learner.step(
                    self.iteration, lambda: self._next(patches), self._collect, self._clock
                )
                self.iteration += 1
                bar.update()
                self._note_skipped(faults, tracker)
                if not self._after_step(tracker, interrupt):
                    return False
            self._check_end()
            return True
        finally:
            bar.close()
            interrupt.close()
            if tracker is not None:
                tracker.close()

    def _update_strategy(self, tracker: Tracker | None) -> None:
        """Let the strategy decide anew, on the probe images if it looks at them."""

        def probe() -> Tensor:
            assert self._probes is not None
            return self._probes.psnr(self.learner.evaluated)

        columns = self.strategy.update(self.iteration, probe)
        columns["samples"] = self._seen + self._collected()[0][1]
        if tracker is not None:
            tracker.decision(self.iteration, self._by_task(columns))
        self._clock.skip()

    def _after_step(self, tracker: Tracker | None, interrupt: Interrupt) -> bool:
        """Log, validate and save where due; False when the run was asked to stop."""
        logger = self._options.logger
        last = self.iteration == self.plan.train.total_iter
        if self.iteration % logger.print_freq == 0 or last:
            self._log(tracker)
        stop = not last and interrupt.requested()
        if self.validation.due(self.iteration, last) and not stop:
            improved = self.validation.run(self.learner.evaluated, self.iteration, tracker)
            if improved and logger.save_best:
                self._save_weights(f"best_{self.validation.leading_metric}")
            self._clock.skip()
        saved = False
        if self.iteration % logger.save_checkpoint_freq == 0 or last or stop:
            saved = self._save()
            self._clock.skip()
        if stop and self.processes.is_main:
            _logger.warning(
                "stopped at iteration %s; %s, go on with --auto_resume",
                f"{self.iteration:,}",
                "everything is saved" if saved else "the last checkpoint is kept",
            )
        return not stop

    # steps that are not finite

    def _note_skipped(self, faults: list[Fault] | None, tracker: Tracker | None) -> None:
        if faults is None:
            self._skipped.made()
            return
        lines = self._skipped.skipped(
            self.iteration,
            faults,
            lambda: {"net_g": self.learner.weights(), "net_d": self.learner.judgement()},
        )
        if tracker is not None:
            tracker.skipped(lines)

    def _check_end(self) -> None:
        """Refuse to call a training finished whose network probably gives NaN."""
        if self._skipped.suspect:
            raise UserError(
                f"the last {self._skipped.in_a_row} steps of the training were skipped, with NaN "
                "or infinity everywhere, so its weights are not saved; lower train:optim_g:lr or "
                "set train:grad_clip_norm, and go on from the last checkpoint (--auto_resume)"
            )
        if self._skipped.total and self.processes.is_main:
            _logger.warning(
                "%d steps were skipped because of NaN or infinity; nonfinite.jsonl names them",
                self._skipped.total,
            )

    # batches

    def _patches(self) -> Iterator[StreamBatch]:
        first = self.iteration * self.plan.train.accum_iter
        return iter(self.plan.loader(self._images, self._streams, self.processes, first))

    def _next(self, patches: Iterator[StreamBatch]) -> TaskBatch:
        batch = next(patches)
        self._clock.mark("data")
        samples = self._batches.make(batch)
        self._clock.mark("degrade")
        return samples

    def _collect(self, losses: StepLosses, batch: TaskBatch) -> None:
        step = TaskLosses.of(losses.weighted, batch.task, len(self.tasks))
        self._averages.add(step.sums, step.counts)
        self._terms.add(losses.values.double().sum(1), losses.counts)

    # log lines

    def _log(self, tracker: Tracker | None) -> None:
        (sums, counts), (term_sums, term_counts) = self._collected()
        self._averages.reset()
        self._terms.reset()
        self._seen += counts
        seconds, steps = self._clock.read(), self.iteration - self._logged
        self._clock.reset()
        self._logged = self.iteration
        mean = {part: value / steps for part, value in seconds.items()}
        speed = float(counts.sum()) / seconds["total"]
        adversary = self.learner.adversary
        scores, scores_of_tasks = adversary.means() if adversary else ({}, {})
        means = zip(self._terms.names, (term_sums / term_counts).tolist(), strict=True)
        losses = {f"l_{name}": mean for name, mean in means if not math.isnan(mean)} | scores
        rates = self.learner.rates
        _logger.info(
            "%s",
            training_line(
                self._options.name,
                self._epoch(),
                self.iteration,
                rates,
                (self.plan.train.total_iter - self.iteration) * mean["total"],
                mean,
                speed,
                self._clock.peak_memory(),
                losses,
            ),
        )
        if tracker is None:
            return
        values = {**losses, "lr": rates[0], "images_per_second": speed}
        tracker.step(self.iteration, values, seconds)
        columns = {"loss": sums / counts, "samples": self._seen, **self.strategy.columns()}
        columns |= scores_of_tasks
        skipped = {"skipped_steps": self._skipped.total} if self._skipped.total else {}
        tracker.tasks(self.iteration, self._by_task(columns), {**self.strategy.counts(), **skipped})

    def _by_task(self, columns: TaskColumns) -> dict[str, dict[str, float]]:
        return {name: by_name(self.tasks.names, values) for name, values in columns.items()}

    def _collected(self) -> tuple[Tensor, Tensor]:
        """Sums and counts since the last log line over all processes, of the losses by task
        ``[2, T]`` and of the terms ``[2, terms]``.
        """
        averages = self.processes.sum(self._averages.values).cpu()
        terms = self.processes.sum(self._terms.values).cpu()
        return averages, terms

    def _epoch(self) -> int:
        images = len(self._images) * self.plan.dataset.dataset_enlarge_ratio
        return self.iteration * self._global_batch() // images

    # checkpoints

    def _identity(self) -> dict[str, Any]:
        """What a resumed run is compared by."""
        return {
            "tasks": self.tasks.names,
            "task_contents": self._task_digest(),
            "strategy_options": self.plan.strategy_options(),
            "seed": self._options.manual_seed,
            "batch": self._global_batch(),
        }

    def _task_digest(self) -> str:
        """SHA-256 of what the tasks are."""
        text = json.dumps(self.tasks.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _save(self) -> bool:
        """Write a checkpoint, unless the weights are suspected to be broken."""
        if self._skipped.suspect:
            if self.processes.is_main:
                _logger.warning(
                    "no checkpoint at iteration %s: in the last step everything was NaN or "
                    "infinite; the one before it is kept",
                    f"{self.iteration:,}",
                )
            return False
        averages, terms = self._collected()
        learned = self.learner.state_dict()
        if not self.processes.is_main:
            return True
        self._save_weights(self.iteration)
        self._save_weights("latest")
        state = {
            "epoch": self._epoch(),
            "iter": self.iteration,
            **learned,
            **self._identity(),
            "strategy": self.strategy.state_dict(),
            "averages": averages,
            "terms": terms,
            "seen": self._seen,
            "logged": self._logged,
            "best": self.validation.best,
            "skipped": self._skipped.state_dict(),
        }
        save_atomically(state, self.folder.state(self.iteration))
        remove_old(self.folder, self._options.logger.keep_last)
        return True

    def _save_weights(self, label: int | str) -> None:
        if not self.processes.is_main:
            return
        if judgement := self.learner.judgement():
            save_atomically(judgement, self.folder.discriminator(label))
        save_atomically(self.learner.weights(), self.folder.weights(label))

    def _load(self, file: Path) -> None:
        state = read_state(file)
        choice = self._options.resume
        now = {**self._identity(), **self.learner.state_dict()}
        compare_runs(state, now, str(file), choice)
        self.iteration = int(state["iter"])
        weights = weights_beside(file, self.iteration)
        self.learner.load_state_dict(state, weights, keep_schedule=choice == "keep")
        if "strategy" in state:
            self.strategy.load_state_dict(state["strategy"])
        elif self.plan.strategy_options():
            _logger.warning("'%s' holds no state of a strategy: it starts afresh", file)
        if "averages" in state and self.processes.is_main:
            self._averages.values.copy_(state["averages"])
            if "terms" in state and state["terms"].shape == self._terms.values.shape:
                self._terms.values.copy_(state["terms"])
        self._seen += state.get("seen", 0)
        self._logged = state.get("logged", self.iteration)
        self.validation.best = state.get("best", {})
        if "skipped" in state:
            self._skipped.load_state_dict(state["skipped"])
        _logger.info("resumed from %s at iteration %s", file, f"{self.iteration:,}")

    def _global_batch(self) -> int:
        size = self.plan.dataset.batch_size_per_gpu * self.plan.train.accum_iter
        return size * self.processes.world_size
