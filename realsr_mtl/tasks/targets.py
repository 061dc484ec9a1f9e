"""What the output for a task is compared with: the HR image, or an image made from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor

from realsr_mtl.degradations.operators import imresize, usm_sharpen
from realsr_mtl.degradations.operators.sharpen import THRESHOLD, WEIGHT
from realsr_mtl.registry import Registry


class Target(ABC):
    """Makes the target of a task from HR images."""

    @abstractmethod
    def __call__(self, hr: Tensor) -> Tensor:
        """``[B, 3, H, W]`` in [0, 1] to the same."""


TARGETS: Registry[Target] = Registry("target")


@TARGETS.register()
class Original(Target):
    """The HR image itself."""

    def __call__(self, hr: Tensor) -> Tensor:
        """``hr``."""
        return hr


@TARGETS.register()
class Sharpened(Target):
    """The HR image after unsharp masking, for detail enhancement.

    Args:
        weight: strength; Real-ESRGAN's 0.5.
        threshold: detail below it stays as it is, in grey levels of 255; Real-ESRGAN's 10.
    """

    def __init__(self, *, weight: float = WEIGHT, threshold: float = THRESHOLD) -> None:
        if weight < 0 or threshold < 0:
            raise ValueError(f"weight and threshold must not be negative: {weight}, {threshold}")
        self._weight, self._threshold = weight, threshold

    def __call__(self, hr: Tensor) -> Tensor:
        """The sharpened image."""
        return usm_sharpen(hr, self._weight, self._threshold)


class Targets:
    """The targets of all tasks, each of the size of the network's output for it.

    Args:
        scale: size of an HR image over that of the LQ image.
        makers: by task; the HR image for tasks that are not named.
        scales: size of the output over that of the LQ image by task; ``scale`` for tasks that are
            not named. Smaller targets are made by antialiased bicubic downscaling.

    Raises:
        ValueError: an output is larger than the HR image, or no whole part of it.
    """

    def __init__(
        self,
        scale: int,
        makers: Mapping[str, Target] | None = None,
        scales: Mapping[str, int] | None = None,
    ) -> None:
        self._scale, self._makers, self._scales = scale, dict(makers or {}), dict(scales or {})
        for task, own in self._scales.items():
            if scale % own:
                raise ValueError(
                    f"the output of task '{task}' is x{own}, but HR images are x{scale}: the "
                    "scale must be a multiple of it"
                )

    def scale_of(self, task: str) -> int:
        """Size of the output of a task over that of the LQ image."""
        return self._scales.get(task, self._scale)

    def is_hr(self, task: str) -> bool:
        """Whether the target of a task is the HR image as it is."""
        maker = self._makers.get(task)
        return self.scale_of(task) == self._scale and (maker is None or isinstance(maker, Original))

    def make(self, hr: Tensor, task: str) -> Tensor:
        """The targets of a task for HR images ``[B, 3, H, W]``."""
        if self.is_hr(task):
            return hr
        maker = self._makers.get(task, Original())
        factor = self._scale // self.scale_of(task)
        made = maker(hr)
        return made if factor == 1 else imresize(made, 1 / factor)
