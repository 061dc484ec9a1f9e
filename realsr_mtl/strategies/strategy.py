"""A strategy: task sampling, task weighting and the combination of gradients as one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from realsr_mtl.batch import SampleLosses, TaskIds
from realsr_mtl.strategies.gradients import GradientCombination
from realsr_mtl.strategies.part import StrategyPart, TaskColumns
from realsr_mtl.strategies.sampling import TaskSampling, Weighted
from realsr_mtl.strategies.setting import Setting
from realsr_mtl.strategies.weighting import TaskWeighting
from realsr_mtl.tasks import TaskLosses


class Strategy:
    """The parts of a strategy and what passes between them.

    Args:
        setting: tasks, randomness and processes of the run.
        sampling: decides the task of every sample.
        weighting: weighs the losses of the tasks, or feeds a sampling `Weighted`; None for the
            plain mean over samples.
        gradients: combines the gradients of the tasks; None for their weighted sum.
    """

    def __init__(
        self,
        setting: Setting,
        sampling: TaskSampling,
        weighting: TaskWeighting | None = None,
        gradients: GradientCombination | None = None,
    ) -> None:
        self.setting = setting
        self.sampling = sampling
        self.weighting = weighting
        self.gradients = gradients
        follows = weighting is not None and weighting.apply == "sampling"
        if follows != isinstance(sampling, Weighted):
            raise ValueError(
                f"the weighting is applied to the sampling, but that is {type(sampling).__name__}; "
                "leave the sampling out, or make it Weighted"
                if follows
                else "the sampling Weighted needs a weighting with 'apply: sampling'; there is none"
            )
        if isinstance(sampling, Weighted) and sampling.prior is None:
            assert weighting is not None
            sampling.prior = weighting.prior
        self._seen: TaskLosses | None = None

    @property
    def parts(self) -> dict[str, StrategyPart]:
        """The parts there are, by their key in an option file."""
        found = {
            "sampling": self.sampling,
            "weighting": self.weighting,
            "gradients": self.gradients,
        }
        return {name: part for name, part in found.items() if part is not None}

    @property
    def needs_probes(self) -> bool:
        """Whether a part wants the PSNR on the probe images."""
        return any(part.needs_probes for part in self.parts.values())

    # before a step

    def due(self, iteration: int) -> bool:
        """Whether `update` has to be called before this iteration."""
        return any(part.due(iteration) for part in self.parts.values())

    def update(self, iteration: int, probe: Callable[[], Tensor]) -> TaskColumns:
        """Let the parts that are due decide anew.

        Args:
            iteration: steps made so far.
            probe: scores the network on the probe images, PSNR ``[T]``; called once at most.

        Returns:
            What is to be logged.
        """
        due = {name: part for name, part in self.parts.items() if part.due(iteration)}
        psnr = probe() if any(part.needs_probes for part in due.values()) else None
        columns: TaskColumns = {}
        for name, part in due.items():
            own = part.update(iteration, psnr if part.needs_probes else None)
            columns |= {key if key not in columns else f"{name}_{key}": own[key] for key in own}
        return columns

    def choose(self, index: Tensor) -> TaskIds | None:
        """Tasks of the samples ``index [B]``; None leaves them to the natural distribution."""
        return self.sampling.choose(index)

    # in a step

    def loss(
        self, losses: SampleLosses, task: TaskIds, number: int, gate: Tensor | None = None
    ) -> Tensor:
        """The scalar whose gradient, averaged over the processes, is that of the strategy.

        Args:
            losses: ``[B]``, with their graph.
            task: int64 ``[B]``.
            number: of the micro-batch.
            gate: as in `combined`.
        """
        if self.weighting is None and self.gradients is None:
            return losses.mean()
        step = self.measure(losses, task)
        factors = self.factors(step, number)
        if self.gradients is None:
            return self.weighted(losses, task, factors, step)
        held = self.gradients.held(step.present)
        return self.combined(losses, task, factors, held, step, gate)

    def combined(
        self,
        losses: SampleLosses,
        task: TaskIds,
        factors: Tensor,
        weights: Tensor,
        step: TaskLosses,
        gate: Tensor | None,
    ) -> Tensor:
        """`weighted`, with weights ``lambda [T]`` of a gradient combination.

        They act on the weights that the tasks share: through ``gate [T]``, by which a network with
        heads scales the gradient that goes back to its trunk, or on the factors if there are none.
        """
        if gate is None:
            return self.weighted(losses, task, factors * weights, step)
        gate.copy_(weights)
        return self.weighted(losses, task, factors, step)

    def weighted(
        self, losses: SampleLosses, task: TaskIds, factors: Tensor, step: TaskLosses
    ) -> Tensor:
        """``sum_t c_t L_t`` for factors ``c [T]``, as this process's part of it.

        Averaged over the processes, its gradient is that of the whole sum.
        """
        each = factors / step.counts.clamp(min=1) * self.setting.processes.world_size
        return (each[task].to(losses.dtype) * losses).sum()

    def measure(self, losses: SampleLosses, task: TaskIds) -> TaskLosses:
        """Losses of a micro-batch by task, over all processes; kept for `look_again`."""
        step = TaskLosses.of(losses, task, len(self.setting)).over(self.setting.processes)
        self._seen = step if self._seen is None else self._seen + step
        return step

    def factors(self, step: TaskLosses, number: int) -> Tensor:
        """Float64 ``c [T]``: the loss of the micro-batch is ``sum_t c_t L_t``."""
        if self.weighting is None:  # gradients of tasks that count equally
            return step.present.double() / step.present.sum()
        weights = self.weighting.weigh(step, number)
        if isinstance(self.sampling, Weighted):
            self.sampling.follow(weights, step.present)
            return step.counts / step.counts.sum()
        return self.weighting.parts(step) * weights

    @property
    def needs_second_look(self) -> bool:
        """Whether `look_again` wants the losses of the same samples after the step."""
        return self.weighting is not None and self.weighting.needs_second_look

    def look_again(self, losses: SampleLosses, task: TaskIds) -> None:
        """Give the losses ``[B]`` of all samples of the step after it."""
        assert self.weighting is not None and self._seen is not None
        after = TaskLosses.of(losses, task, len(self.setting)).over(self.setting.processes)
        self.weighting.look_again(self._seen, after)

    def end_step(self) -> None:
        """Forget the losses of the step."""
        self._seen = None

    # records

    def columns(self) -> TaskColumns:
        """Per-task values of a log line."""
        columns: TaskColumns = {"share": self.sampling.shares()}
        for part in self.parts.values():
            columns |= part.columns()
        return columns

    def counts(self) -> dict[str, float]:
        """Values of a log line that are no task's own."""
        return {k: v for part in self.parts.values() for k, v in part.counts().items()}

    def state_dict(self) -> dict[str, Any]:
        """The state of every part, with its class."""
        return {
            name: {"type": type(part).__name__, "state": part.state_dict()}
            for name, part in self.parts.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Inverse of `state_dict`.

        Raises:
            ValueError: the state is that of another strategy.
        """
        saved = {name: entry["type"] for name, entry in state.items()}
        own = {name: type(part).__name__ for name, part in self.parts.items()}
        if saved != own:
            raise ValueError(f"the saved strategy is {_text(saved)}, this one is {_text(own)}")
        for name, part in self.parts.items():
            part.load_state_dict(state[name]["state"])


def _text(parts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in parts.items())
