"""The base of gradient combinations, and their registry."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.errors import UserError
from realsr_mtl.registry import Registry
from realsr_mtl.reporting.tracker import COSINES
from realsr_mtl.strategies.part import StrategyPart, TaskColumns
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.tasks import TaskMeans, by_name, from_names

_logger = logging.getLogger(__name__)

_CANCELLING = 0.05
"""Part of the sum of absolute weights below which their sum is too small to divide by."""

MATRIX_TASKS = 16
"""Tasks up to which the cosines of all pairs are logged."""

MOST_TASKS = 64
"""Tasks in one batch beyond which the solvers are too slow and Gram matrices too noisy."""


class SolverError(Exception):
    """A solver found no weights for a Gram matrix."""


class GradientCombination(StrategyPart, ABC):
    """Weights of the tasks from the Gram matrix of their gradients.

    With ``g_k`` the gradient of the mean loss of task k (weighted, if there is a weighting) and K
    tasks in the batch, the step follows ``(1 / K) sum_k lambda_k g_k``, where ``lambda`` comes from
    ``G_kl = <g_k, g_l>``, divided by its mean diagonal. Every sample belongs to one task, so the
    gradients are those of disjoint parts of the batch and cost about one backward pass together.

    Args:
        rows: full, the exact gradients (memory: one copy of the network's weights per task in the
            batch); sketch, their count-sketch (little memory, a second pass where weights are
            renewed); last_layer, those of the last layer alone (cheapest; cosines drift as
            training goes on).
        every: steps after which the weights are renewed; in between they are held.
        smoothing: part of the previous weights in the new ones, in [0, 1).
        normalize: scale new weights to the mean 1, so that the learning rate keeps its meaning.
        sketch_size: numbers a gradient is reduced to with ``rows: sketch``.
        on_failure: keep the previous weights when a solver fails (counted in strategy.jsonl, with
            a warning), or stop with an error.

    Attributes:
        failures: how often the solver failed.
    """

    sums = False
    """Whether the method's weights make a sum of K gradients rather than a mean."""

    def __init__(
        self,
        setting: Setting,
        *,
        rows: Literal["full", "sketch", "last_layer"] = "full",
        every: int = 1,
        smoothing: float = 0.0,
        normalize: bool = True,
        sketch_size: int = 2048,
        on_failure: Literal["keep", "error"] = "keep",
        **others: Any,
    ) -> None:
        super().__init__(setting, **others)
        if every < 1 or sketch_size < 1:
            raise ValueError(f"every and sketch_size must be positive: {every}, {sketch_size}")
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing lies in [0, 1), found {smoothing}")
        self.rows, self.every, self.sketch_size = rows, every, sketch_size
        self._smoothing, self._normalize, self._on_failure = smoothing, normalize, on_failure
        self.failures = 0
        self._held = torch.ones(len(setting), dtype=torch.float64, device=setting.device)
        self._cosines = TaskMeans(setting.names, "gradient cosines")
        few = setting.names if len(setting) <= MATRIX_TASKS else []
        self._pairs = {name: TaskMeans(few, f"cosines with {name}") for name in few}

    @abstractmethod
    def solve(self, gram: Tensor, number: int) -> Tensor:
        """The method's weights ``[K]`` for a Gram matrix, float64 ``[K, K]`` on the CPU.

        Args:
            gram: with mean diagonal 1.
            number: of the step, for methods that draw at random.

        Raises:
            SolverError: there are none, or the solver did not find them.
        """

    def renews(self, iteration: int) -> bool:
        """Whether the weights are renewed in this step."""
        return iteration % self.every == 0

    def check_count(self, tasks: int) -> None:
        """Refuse more tasks in one batch than can be handled.

        Raises:
            UserError: too many.
        """
        if tasks > MOST_TASKS:
            raise UserError(
                f"{tasks} tasks in one batch are too many for {type(self).__name__} (at most "
                f"{MOST_TASKS}); use fewer or larger tasks, or a smaller batch"
            )

    def held(self, present: Tensor) -> Tensor:
        """``lambda [T]`` of the tasks present, by their last renewal; 1 for tasks never seen.

        They are not scaled again: signed weights of a few tasks may add up to nearly nothing.
        """
        return torch.where(present, self._held, 0.0)

    def combine(self, gram: Tensor, tasks: Tensor, number: int) -> Tensor:
        """New weights ``lambda [T]``, 0 for absent tasks.

        A Gram matrix that is not finite changes nothing: the step it belongs to is skipped.

        Args:
            gram: float64 ``[K, K]`` of the tasks present.
            tasks: int64 ``[K]``, which tasks these are.
            number: of the step.

        Raises:
            UserError: a failure with ``on_failure: error``.
        """
        if bool(gram.isfinite().all()):
            self._renew(gram, tasks, number)
        present = torch.zeros_like(self._held, dtype=torch.bool)
        present[tasks] = True
        return self.held(present)

    def _renew(self, gram: Tensor, tasks: Tensor, number: int) -> None:
        self._note_cosines(gram, tasks)
        try:
            new = self._relative(gram, number).to(self._held.device)
        except SolverError as error:
            self._fail(str(error))
        else:
            before = self._held[tasks]
            self._held[tasks] = self._smoothing * before + (1 - self._smoothing) * new

    def columns(self) -> TaskColumns:
        """Weights of the last renewal, and means over the renewals since the last log line: of the
        smallest cosine between a task's gradient and those of the other tasks, and of the cosines
        with each task if they are few.
        """
        columns = {"gradient_weight": self._held.cpu(), "conflict_cosine": self._cosines.mean()}
        columns |= {COSINES + name: row.mean() for name, row in self._pairs.items()}
        for means in (self._cosines, *self._pairs.values()):
            means.reset()
        return columns

    def counts(self) -> dict[str, float]:
        """Failures of the solver so far."""
        return {"solver_failures": self.failures}

    def state_dict(self) -> dict[str, Any]:
        """Weights and cosines by task, and the number of failures."""
        own = {
            "held": by_name(self.setting.names, self._held),
            "cosines": self._cosines.state_dict(),
            "pairs": {name: row.state_dict() for name, row in self._pairs.items()},
            "failures": self.failures,
        }
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`."""
        rest, ones = dict(state), torch.ones_like(self._held)
        names = self.setting.names
        self._held = from_names(names, rest.pop("held"), ones, "gradient weights")
        self._cosines.load_state_dict(rest.pop("cosines"))
        pairs = rest.pop("pairs", {})  # states of earlier versions have none
        for name in self._pairs.keys() & pairs.keys():
            self._pairs[name].load_state_dict(pairs[name])
        self.failures = int(rest.pop("failures"))
        super().load_state_dict(rest)

    def _relative(self, gram: Tensor, number: int) -> Tensor:
        """``lambda [K]``: 1 is a task's part in the mean gradient."""
        count = len(gram)
        scale = gram.diagonal().mean()
        if count == 1 or float(scale) == 0:
            return torch.ones(count, dtype=torch.float64)
        raw = self.solve(gram / scale, number).double()
        if not bool(raw.isfinite().all()):
            raise SolverError("the weights are not finite")
        if not self._normalize:
            return raw if self.sums else count * raw
        total = float(raw.sum())
        if not total > _CANCELLING * float(raw.abs().sum()):
            raise SolverError("the weights nearly cancel, they cannot be scaled to the mean 1")
        return raw * (count / total)

    def _note_cosines(self, gram: Tensor, tasks: Tensor) -> None:
        if len(tasks) < 2:
            return
        norms = gram.diagonal().clamp(min=1e-300).sqrt()
        cosines = gram / norms / norms[:, None]
        others = cosines + 9 * torch.eye(len(gram), dtype=gram.dtype)
        self._cosines.add(*self._spread(others.min(1).values, tasks))
        for task, row in zip(tasks.tolist(), cosines, strict=True):
            if self._pairs:
                self._pairs[self.setting.names[task]].add(*self._spread(row, tasks))

    def _spread(self, values: Tensor, tasks: Tensor) -> Tensor:
        """Values ``[K]`` of some tasks, and ones, as ``[2, T]`` with zeros elsewhere."""
        spread = torch.zeros(2, len(self.setting), dtype=torch.float64)
        spread[:, tasks.cpu()] = torch.stack((values, torch.ones_like(values)))
        return spread

    def _fail(self, reason: str) -> None:
        self.failures += 1
        name = type(self).__name__
        if self._on_failure == "error":
            raise UserError(
                f"{name} found no weights: {reason}; try rows: full, a larger batch, or "
                "on_failure: keep"
            )
        if self.failures <= 3 or self.failures % 100 == 0:
            _logger.warning(
                "%s found no weights (failure %d): %s; the previous ones stay",
                name,
                self.failures,
                reason,
            )


GRADIENTS: Registry[GradientCombination] = Registry("gradient combination")
