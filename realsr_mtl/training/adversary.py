"""A discriminator that learns beside the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.batch import TaskIds
from realsr_mtl.losses import GANLoss
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import TaskTable
from realsr_mtl.training.exchange import exchanging, without_exchange
from realsr_mtl.training.loss_terms import Restored
from realsr_mtl.training.precision import Precision

Made = tuple[Sequence[Restored], TaskIds]
"""The images of a micro-batch, and the task of each sample."""

_ROWS = ("out_d_real", "out_d_fake", "l_d_real", "l_d_fake")
"""What is known about a task, by BasicSR's names: mean logits and losses of real and restored."""


class Adversary:
    """The discriminator, its optimiser, and what it thought of the tasks.

    In a step it learns after the network, from the images that the network made before its own
    step, as in BasicSR: the mean over the samples of the losses of real and of restored images, of
    the tasks that the adversarial loss applies to.

    Args:
        network: the discriminator, on the training device.
        loss: the adversarial loss.
        optimizer: of the discriminator's weights.
        tasks: names of the tasks.
        precision: of the run.
        processes: this process among all; gradients are averaged over them.
        every: the network learns in every so many steps, the discriminator in all.
        first: steps at the start in which the discriminator learns alone.

    Attributes:
        scores: sums of `_ROWS` and numbers of samples by task since the last log line.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: GANLoss,
        optimizer: torch.optim.Optimizer,
        tasks: Sequence[str],
        precision: Precision,
        processes: Processes,
        *,
        every: int,
        first: int,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.base_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self._loss, self._precision, self._processes = loss, precision, processes
        self._every, self._first = every, first
        self._runner = exchanging(network, processes)
        applies = loss.applies_to(tasks)
        self._applies = None if applies is None else applies.to(processes.device)
        network.requires_grad_(False)
        self.scores = TaskTable(tasks, (*_ROWS, "samples"), "scores", processes.device)

    def lets_learn(self, iteration: int) -> bool:
        """Whether the network learns in the step after ``iteration`` steps."""
        return iteration + 1 > self._first and (iteration + 1) % self._every == 0

    def judge(self, images: Tensor) -> Tensor:
        """Logits of images; the discriminator's weights get no gradient from them."""
        return self._logits(self.network, images)

    def step(self, made: Sequence[Made]) -> bool:
        """Learn from the micro-batches of a step.

        Returns:
            False if the gradient was not finite on some process: then nothing was learned.
        """
        self.network.requires_grad_(True)
        self.optimizer.zero_grad(set_to_none=True)
        everything = [(part, task) for parts, task in made for part in parts]
        counts = [self._counts(task[part.where]) for part, task in everything]
        samples = self._processes.sum(torch.stack([c.sum() for c in counts]).sum())
        samples = samples.clamp(min=1) / self._processes.world_size
        # a process without samples still takes part in the exchange of gradients
        chosen = [i for i, c in enumerate(counts) if bool(c.any())] or [0]
        jobs = [(*everything[i], counts[i]) for i in chosen]
        scores = torch.zeros_like(self.scores.values)
        for number, (part, task, counted) in enumerate(jobs):
            for real in (True, False):
                last = number == len(jobs) - 1 and not real
                with without_exchange(self._runner, not last):
                    logits, values = self._look(self._runner, part, real)
                    ((values * counted).sum() / samples).backward()
                _note(scores, logits.detach(), values.detach(), task[part.where], counted, real)
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        finite = self._processes.all(nn.utils.get_total_norm(gradients).isfinite())
        if finite:
            self.optimizer.step()
            self.scores.values += scores
        self.network.requires_grad_(False)
        return finite

    @torch.no_grad()
    def values(self, parts: Sequence[Restored], task: TaskIds) -> dict[str, Tensor]:
        """``[B]`` of the losses of real and restored images; 0 for samples that it leaves out."""
        found = {name: torch.zeros(len(task), device=task.device) for name in _ROWS[2:]}
        for part in parts:
            counted = self._counts(task[part.where]) > 0
            for values, real in zip(found.values(), (True, False), strict=True):
                own = self._look(self.network, part, real)[1]
                values[part.where] = torch.where(counted, own, 0)
        return found

    def _look(self, runner: Any, part: Restored, real: bool) -> tuple[Tensor, Tensor]:
        """Logits of images, and what the discriminator loses on them."""
        images = (part.output, part.wanted(self._loss))
        logits = self._logits(runner, images[real])
        return logits, self._loss.discriminator(logits, real, self._others(images[not real]))

    def means(self) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Means since the last call over all processes: of all samples, and ``[T]`` by task."""
        *rows, samples = self._processes.sum(self.scores.values).cpu()
        self.scores.values = torch.zeros_like(self.scores.values)
        if not bool(samples.sum()):
            return {}, {}
        every = {n: float(r.sum() / samples.sum()) for n, r in zip(_ROWS, rows, strict=True)}
        return every, {n: r / samples for n, r in zip(_ROWS[:2], rows[:2], strict=True)}

    def state_dict(self) -> dict[str, Any]:
        """Scores over all processes; weights and optimiser are kept with the network's."""
        return {"scores": self._processes.sum(self.scores.values).cpu()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        if self._processes.is_main and state["scores"].shape == self.scores.values.shape:
            self.scores.values.copy_(state["scores"])

    def _logits(self, runner: Any, images: Tensor) -> Tensor:
        with self._precision.autocast():
            logits: Tensor = runner(images)
        return logits.float()

    @torch.no_grad()
    def _others(self, images: Tensor) -> Tensor | None:
        return self._logits(self.network, images) if self._loss.compares else None

    def _counts(self, task: TaskIds) -> Tensor:
        """1 for samples that the loss applies to, 0 for others."""
        if self._applies is None:
            return torch.ones(len(task), device=task.device)
        return self._applies[task].float()


def _note(
    scores: Tensor, logits: Tensor, values: Tensor, task: TaskIds, counted: Tensor, real: bool
) -> None:
    place = 0 if real else 1
    scores[place].index_add_(0, task, (logits.flatten(1).mean(1) * counted).double())
    scores[place + 2].index_add_(0, task, (values * counted).double())
    if real:
        scores[4].index_add_(0, task, counted.double())
