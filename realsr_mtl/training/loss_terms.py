"""All losses of a run together: what the strategy weighs, and what is added beside it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from realsr_mtl.archs import Contrast
from realsr_mtl.batch import SampleLosses, TaskIds
from realsr_mtl.losses import ContrastiveLoss, GANLoss, Loss, artefact_map


@dataclass(frozen=True)
class Restored:
    """Outputs of one size, with what they should be.

    Attributes:
        output, target: ``[B_k, 3, H, W]``.
        where: int64 ``[B_k]``, positions of the samples in the batch.
        plain: the target without the sharpening of training, where that is wanted.
        average: the output of the averaged network, where that is wanted.
    """

    output: Tensor
    target: Tensor
    where: Tensor
    plain: Tensor | None = None
    average: Tensor | None = None

    def wanted(self, loss: Loss) -> Tensor:
        """The target that a loss compares with."""
        return self.target if loss.gt_usm or self.plain is None else self.plain

    def part(self, chosen: Tensor) -> Restored:
        """The samples where bool ``[B_k]`` is true."""
        plain, average = (None if x is None else x[chosen] for x in (self.plain, self.average))
        return Restored(
            self.output[chosen], self.target[chosen], self.where[chosen], plain, average
        )


Judge = Callable[[Tensor], Tensor]
"""Images to the logits of a discriminator, whose weights get no gradient from it."""


@dataclass(frozen=True)
class StepLosses:
    """Losses of a micro-batch, sample by sample.

    Attributes:
        weighted: what the strategy weighs.
        beside: what is added to that, or None.
        values: ``[terms, B]``, every loss of every sample without graph; 0 where a loss does not
            apply.
        counts: float64 ``[terms]``, how many samples each loss applies to.
        by_strategy: False in a stage that the strategy has no part in: `weighted` then counts as
            it is.
        restored: the images behind the losses, without graph, for a discriminator to learn from.
    """

    weighted: SampleLosses
    beside: SampleLosses | None
    values: Tensor
    counts: Tensor
    by_strategy: bool = True
    restored: Sequence[Restored] = ()

    @property
    def total(self) -> SampleLosses:
        """Everything that is minimised."""
        return self.weighted if self.beside is None else self.weighted + self.beside

    @staticmethod
    def joined(
        parts: Sequence[StepLosses | None], where: Sequence[Tensor], count: int
    ) -> StepLosses:
        """Of ``count`` samples from parts of the batch at positions ``where``; without graph."""
        there = [(part, at) for part, at in zip(parts, where, strict=True) if part is not None]
        first = there[0][0]
        device = first.weighted.device
        weighted = torch.zeros(count, device=device)
        beside = None if first.beside is None else torch.zeros(count, device=device)
        for part, at in there:
            weighted[at] = part.weighted.detach()
            if beside is not None and part.beside is not None:
                beside[at] = part.beside.detach()
        values = torch.zeros(len(first.values), count, device=device)
        for part, at in there:
            values[:, at] = part.values
        counts = torch.stack([part.counts for part, _ in there]).sum(0)
        restored = [
            dataclasses.replace(image, where=at[image.where])
            for part, at in there
            for image in part.restored
        ]
        return StepLosses(weighted, beside, values, counts, restored=restored)


class LossTerms:
    """The losses of a run.

    Args:
        losses: by the name they have in logs.
        tasks: names of the tasks.
        refined: names of losses that look at artefacts alone (LDL).

    Raises:
        ValueError: a loss names a task that there is not, or a task has no loss that the strategy
            weighs.
    """

    def __init__(
        self, losses: Mapping[str, Loss], tasks: Sequence[str], refined: Collection[str] = ()
    ) -> None:
        self.names = list(losses)
        self._refined = [name in refined for name in losses]
        self._losses = list(losses.values())
        self._of_tasks: list[Tensor | None] = []
        weighed = torch.zeros(len(tasks), dtype=torch.bool)
        for name, loss in losses.items():
            unknown = sorted(set(loss.tasks or ()) - set(tasks))
            if unknown:
                raise ValueError(
                    f"the loss '{name}' names the task '{unknown[0]}'; there are: "
                    f"{', '.join(tasks)}"
                )
            chosen = loss.applies_to(tasks)
            if loss.weighted:
                weighed |= True if chosen is None else chosen
            self._of_tasks.append(chosen)
        if not bool(weighed.all()):
            lonely = tasks[int((~weighed).nonzero()[0])]
            raise ValueError(f"task '{lonely}' has no loss that the strategy could weigh")

    @property
    def encoder_iter(self) -> int:
        """Steps at the start in which the contrastive loss is alone."""
        return max((loss.encoder_iter for loss in self._contrastive), default=0)

    @property
    def needs_key(self) -> bool:
        """Whether a second crop of every image is compared with the first."""
        return bool(self._contrastive)

    @property
    def needs_average(self) -> bool:
        """Whether a loss looks at the output of the averaged network."""
        return any(self._refined)

    @property
    def adversarial(self) -> GANLoss | None:
        """The loss that needs a discriminator, if there is one."""
        return next((loss for loss in self._losses if isinstance(loss, GANLoss)), None)

    def to(self, device: torch.device) -> None:
        """Bring the networks inside of losses to a device."""
        for loss in self._losses:
            loss.to(device)

    @property
    def _contrastive(self) -> list[ContrastiveLoss]:
        return [loss for loss in self._losses if isinstance(loss, ContrastiveLoss)]

    def __call__(
        self,
        parts: Sequence[Restored],
        task: TaskIds,
        contrast: Contrast | None = None,
        judge: Judge | None = None,
        iteration: int = 0,
    ) -> StepLosses:
        """The losses of a batch.

        Args:
            parts: every sample once; nothing in a stage that does not restore.
            task: int64 ``[B]``.
            contrast: of the samples with their partners; None leaves contrastive losses out.
            judge: the discriminator; None leaves adversarial losses out, as parts without the
                averaged network's output leave LDL out.
            iteration: steps made so far; an adversarial loss may grow with them.
        """
        each = torch.zeros(len(self._losses), len(task), device=task.device)
        counts = torch.zeros(len(self._losses), dtype=torch.float64, device=task.device)
        weighted: list[Tensor] = []
        beside: list[Tensor] = []
        for place, loss in enumerate(self._losses):
            chosen = self._chosen(place, task)
            if isinstance(loss, ContrastiveLoss):
                if contrast is None:
                    continue
                # the published first stage minimises the contrast without the factor
                similarity = loss if parts else loss.each
                values = similarity(contrast.logits, contrast.target)
                values = values if chosen is None else torch.where(chosen, values, 0)
            elif not parts or self._lacks(place, parts[0], judge):
                continue
            else:
                values = _of_images(self._comparison(place, judge, iteration), parts, chosen)
            each[place] = values.detach()
            counts[place] = len(task) if chosen is None else chosen.sum()
            (weighted if loss.weighted or not parts else beside).append(values)
        return StepLosses(
            torch.stack(weighted).sum(0),
            torch.stack(beside).sum(0) if beside else None,
            each,
            counts,
            by_strategy=bool(parts),
            restored=[dataclasses.replace(part, output=part.output.detach()) for part in parts],
        )

    def _lacks(self, place: int, part: Restored, judge: Judge | None) -> bool:
        """Whether there is no second network that a loss looks at, as in a search for groups."""
        if isinstance(self._losses[place], GANLoss):
            return judge is None
        return self._refined[place] and part.average is None

    def _comparison(
        self, place: int, judge: Judge | None, iteration: int
    ) -> Callable[[Restored], Tensor]:
        """What a loss makes of restored images: ``[B_k]``."""
        loss = self._losses[place]
        if isinstance(loss, GANLoss):
            assert judge is not None
            return functools.partial(_seen_through, loss, judge, loss.factor(iteration))
        if not self._refined[place]:
            return lambda part: loss(part.output, part.wanted(loss))

        def refined(part: Restored) -> Tensor:
            assert part.average is not None
            target = part.wanted(loss)
            weight = artefact_map(target, part.output.detach(), part.average)
            return loss(weight * part.output, weight * target)

        return refined

    def _chosen(self, place: int, task: TaskIds) -> Tensor | None:
        """Bool ``[B]``: the samples that a loss applies to; None for all of them."""
        chosen = self._of_tasks[place]
        if chosen is None:
            return None
        if chosen.device != task.device:
            chosen = self._of_tasks[place] = chosen.to(task.device)
        return chosen[task]


def _seen_through(loss: GANLoss, judge: Judge, factor: float, part: Restored) -> Tensor:
    others = None
    if loss.compares:
        with torch.no_grad():
            others = judge(part.wanted(loss))
    return factor * loss.generator(judge(part.output), others)


def _of_images(
    compare: Callable[[Restored], Tensor], parts: Sequence[Restored], chosen: Tensor | None
) -> Tensor:
    """``[B]``; 0 for samples that the loss does not apply to."""
    device = parts[0].where.device
    values = torch.zeros(sum(len(part.where) for part in parts), device=device)
    for part in parts:
        if chosen is not None:
            wanted = chosen[part.where]
            if not bool(wanted.any()):
                continue
            part = part.part(wanted)
        values = values.index_add(0, part.where, compare(part))
    return values
