"""Where the NaN or infinity of a step comes from: loss, task, image and record."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from realsr_mtl.batch import TaskBatch
from realsr_mtl.processes import Processes
from realsr_mtl.training.adversary import Adversary
from realsr_mtl.training.forward import Forward
from realsr_mtl.training.loss_terms import StepLosses

Made = Sequence[tuple[StepLosses, TaskBatch]]
"""The micro-batches of a step."""


@dataclass(frozen=True)
class Fault:
    """A sample with a loss or a gradient that is not finite.

    Attributes:
        loss: its name in logs (``l_pix``), or ``gradient of l_pix``.
        value: of the loss.
        task: name of the sample's task.
        sample: a batch of this one sample, on the training device.
    """

    loss: str
    value: float
    task: str
    sample: TaskBatch

    def entry(self) -> dict[str, Any]:
        """Everything but the pixels, for JSON."""
        records = self.sample.parameters
        return {
            "loss": self.loss,
            "value": str(self.value),
            "task": self.task,
            "image": next(iter(self.sample.images), None),
            "index": int(self.sample.index[0]),
            "record": None if records is None else records.to_json()[0],
        }


def describe(entry: Mapping[str, Any]) -> str:
    """``l_pix is nan (task rain, image 'a', sample 17)``."""
    image = "" if entry["image"] is None else f"image '{entry['image']}', "
    place = f"(task {entry['task']}, {image}sample {entry['index']})"
    return f"{entry['loss']} is {entry['value']} {place}"


class FaultFinder:
    """Singles out the samples of a step that was not finite.

    Args:
        forward: the network in training.
        adversary: the discriminator, if there is one.
        losses: names of the losses.
        tasks: names of the tasks.
        processes: this process among all.
    """

    def __init__(
        self,
        forward: Forward,
        adversary: Adversary | None,
        losses: Sequence[str],
        tasks: Sequence[str],
        processes: Processes,
    ) -> None:
        self._forward, self._adversary = forward, adversary
        self._losses = [f"l_{name}" for name in losses]
        self._tasks = list(tasks)
        self._processes = processes

    def __call__(self, iteration: int, made: Made) -> list[Fault]:
        """Find the faults of this process; called by all processes together.

        They are of the first kind that any process has: in the losses of the network, in those of
        the discriminator, in the gradient of a single sample. Nothing is found where only samples
        together give a gradient that is not finite.
        """
        for search in (self._in_losses, self._in_discriminator, self._in_gradients):
            found = list(search(iteration, made))
            if sum(self._processes.gather(len(found))):
                return found
        return []

    def _in_losses(self, iteration: int, made: Made) -> Iterator[Fault]:
        for losses, batch in made:
            for name, values in zip(self._losses, losses.values, strict=True):
                yield from self._faults(name, values, batch)

    def _in_discriminator(self, iteration: int, made: Made) -> Iterator[Fault]:
        if self._adversary is None:
            return
        for losses, batch in made:
            for name, values in self._adversary.values(losses.restored, batch.task).items():
                yield from self._faults(name, values, batch)

    def _in_gradients(self, iteration: int, made: Made) -> Iterator[Fault]:
        parameters = [p for p in self._forward.network.parameters() if p.requires_grad]
        for place, (_, batch) in enumerate(made):
            for position in range(len(batch.task)):
                sample = _sample(batch, position)
                own = self._forward(sample, iteration * len(made) + place, alone=True)
                if not own.total.requires_grad:
                    continue
                gradients = torch.autograd.grad(own.total.sum(), parameters, allow_unused=True)
                if all(bool(g.isfinite().all()) for g in gradients if g is not None):
                    continue
                there = [n for n, v in zip(self._losses, own.values, strict=True) if bool(v != 0)]
                name = f"gradient of {' + '.join(there)}"
                yield Fault(
                    name, float(own.total.detach()), self._tasks[int(batch.task[position])], sample
                )

    def _faults(self, name: str, values: Tensor, batch: TaskBatch) -> Iterator[Fault]:
        for position in (~values.isfinite()).nonzero()[:, 0].tolist():
            task = self._tasks[int(batch.task[position])]
            yield Fault(name, float(values[position]), task, _sample(batch, position))


def _sample(batch: TaskBatch, position: int) -> TaskBatch:
    chosen = torch.tensor([position])
    records = None if batch.parameters is None else batch.parameters.select(chosen)
    return dataclasses.replace(batch.part(chosen.to(batch.task.device)), parameters=records)
