"""The base of all losses, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from realsr_mtl.registry import Registry


class Loss(nn.Module, ABC):
    """``loss_weight`` times one number for each sample.

    Args:
        loss_weight: factor of the loss.
        tasks: the tasks whose samples it applies to; default: all.
        weighted: whether the strategy's task weights act on it. Otherwise its mean over the samples
            of a batch is added to what the strategy makes of the others.
        gt_usm: where training sharpens HR images (the option ``gt_usm`` of the file), compare with
            the sharpened image, as Real-ESRGAN's pixel and perceptual losses do; false: with the
            image as it is, as its adversarial loss does.
    """

    def __init__(
        self,
        *,
        loss_weight: float = 1.0,
        tasks: tuple[str, ...] | None = None,
        weighted: bool = True,
        gt_usm: bool = True,
    ) -> None:
        super().__init__()
        if tasks is not None and not tasks:
            raise ValueError("tasks names no task; leave it out for all of them")
        self.loss_weight = loss_weight
        self.tasks = tasks
        self.weighted = weighted
        self.gt_usm = gt_usm

    def applies_to(self, tasks: Sequence[str]) -> Tensor | None:
        """Bool ``[T]``, whether it applies to each of the tasks; None for all of them."""
        if self.tasks is None:
            return None
        return torch.tensor([task in self.tasks for task in tasks])

    @abstractmethod
    def each(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Float32 ``[B]``, without the factor."""

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Float32 ``[B]``, with the factor."""
        return self.loss_weight * self.each(prediction, target)


class ImageLoss(Loss):
    """A loss between an output image and the image it should be.

    Shape: two times ``[B, C, H, W]`` to float32 ``[B]``.
    """

    @abstractmethod
    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Float32 ``[B]`` of float32 images of one size."""

    def each(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Float32 ``[B]``, without the factor; computed in float32, also under autocast."""
        if prediction.shape != target.shape:
            raise ValueError(
                f"prediction {tuple(prediction.shape)} and target {tuple(target.shape)} differ"
            )
        with torch.autocast(prediction.device.type, enabled=False):
            return self.compare(prediction.float(), target.float())


LOSSES: Registry[Loss] = Registry("loss")
