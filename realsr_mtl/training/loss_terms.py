"""All losses of a run together: what the strategy weighs, and what is added beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from realsr_mtl.archs import Contrast
from realsr_mtl.batch import SampleLosses, TaskIds
from realsr_mtl.losses import ContrastiveLoss, Loss


@dataclass(frozen=True)
class Restored:
    """Outputs of one size, with what they should be.

    Attributes:
        output, target: ``[B_k, 3, H, W]``.
        where: int64 ``[B_k]``, positions of the samples in the batch.
    """

    output: Tensor
    target: Tensor
    where: Tensor


@dataclass(frozen=True)
class StepLosses:
    """Losses of a micro-batch, sample by sample.

    Attributes:
        weighted: what the strategy weighs.
        beside: what is added to that, or None.
        terms: float64 ``[2, terms]``, sum and number of the values of each loss, for the log.
        by_strategy: False in a stage that the strategy has no part in: `weighted` then counts as
            it is.
    """

    weighted: SampleLosses
    beside: SampleLosses | None
    terms: Tensor
    by_strategy: bool = True

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
        terms = torch.stack([part.terms for part, _ in there]).sum(0)
        return StepLosses(weighted, beside, terms)


class LossTerms:
    """The losses of a run.

    Args:
        losses: by the name they have in logs.
        tasks: names of the tasks.

    Raises:
        ValueError: a loss names a task that there is not, or a task has no loss that the strategy
            weighs.
    """

    def __init__(self, losses: Mapping[str, Loss], tasks: Sequence[str]) -> None:
        self.names = list(losses)
        self._losses = list(losses.values())
        self._of_tasks: list[Tensor | None] = []
        weighed = torch.zeros(len(tasks), dtype=torch.bool)
        for name, loss in losses.items():
            chosen = None
            if loss.tasks is not None:
                unknown = sorted(set(loss.tasks) - set(tasks))
                if unknown:
                    raise ValueError(
                        f"the loss '{name}' names the task '{unknown[0]}'; there are: "
                        f"{', '.join(tasks)}"
                    )
                chosen = torch.tensor([task in loss.tasks for task in tasks])
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
    def _contrastive(self) -> list[ContrastiveLoss]:
        return [loss for loss in self._losses if isinstance(loss, ContrastiveLoss)]

    def __call__(
        self, parts: Sequence[Restored], task: TaskIds, contrast: Contrast | None
    ) -> StepLosses:
        """The losses of a batch.

        Args:
            parts: every sample once; nothing in a stage that does not restore.
            task: int64 ``[B]``.
            contrast: of the samples with their partners; None leaves contrastive losses out.
        """
        sums = torch.zeros(2, len(self._losses), dtype=torch.float64, device=task.device)
        weighted: list[Tensor] = []
        beside: list[Tensor] = []
        for place, loss in enumerate(self._losses):
            chosen = self._chosen(place, task)
            if isinstance(loss, ContrastiveLoss):
                if contrast is None:
                    continue
                # the published first stage minimises the contrast without the factor
                compare = loss if parts else loss.each
                values = compare(contrast.logits, contrast.target)
                values = values if chosen is None else values * chosen
            elif parts:
                values = self._of_images(loss, parts, chosen)
            else:
                continue
            count = len(task) if chosen is None else chosen.sum()
            sums[0, place] = values.detach().sum()
            sums[1, place] = count
            (weighted if loss.weighted or not parts else beside).append(values)
        return StepLosses(
            torch.stack(weighted).sum(0),
            torch.stack(beside).sum(0) if beside else None,
            sums,
            by_strategy=bool(parts),
        )

    def _of_images(self, loss: Loss, parts: Sequence[Restored], chosen: Tensor | None) -> Tensor:
        """``[B]``; 0 for samples that the loss does not apply to."""
        device = parts[0].where.device
        values = torch.zeros(sum(len(part.where) for part in parts), device=device)
        for part in parts:
            output, target, where = part.output, part.target, part.where
            if chosen is not None:
                wanted = chosen[where]
                if not bool(wanted.any()):
                    continue
                output, target, where = output[wanted], target[wanted], where[wanted]
            values = values.index_add(0, where, loss(output, target))
        return values

    def _chosen(self, place: int, task: TaskIds) -> Tensor | None:
        """Bool ``[B]``: the samples that a loss applies to; None for all of them."""
        chosen = self._of_tasks[place]
        if chosen is None:
            return None
        if chosen.device != task.device:
            chosen = self._of_tasks[place] = chosen.to(task.device)
        return chosen[task]
