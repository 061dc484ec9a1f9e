"""Network, optimiser and average: everything that one optimiser step changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from realsr_mtl.archs import load_weights
from realsr_mtl.batch import TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import Strategy
from realsr_mtl.training.backward import Backward, Collect, second_look
from realsr_mtl.training.checkpoints import network_content
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.ema import ExponentialMovingAverage
from realsr_mtl.training.forward import Forward
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.precision import Precision
from realsr_mtl.training.schedules import SCHEDULES, warmed_up

_logger = logging.getLogger(__name__)


class Learner:
    """One network in training.

    Args:
        plan: the checked options.
        strategy: weighs and combines the losses of the tasks.
        processes: this process among all; with several, gradients are averaged over them.
    """

    def __init__(self, plan: TrainingPlan, strategy: Strategy, processes: Processes) -> None:
        self._train = plan.train
        with plan.loaded.located():
            self.precision = Precision(plan.train, processes.device)
        network = plan.network().to(processes.device)
        self.network = network.to(memory_format=self.precision.memory_format)  # type: ignore[call-overload]
        self.average: ExponentialMovingAverage | None = None
        if plan.train.ema_decay:
            self.average = ExponentialMovingAverage(self.network, plan.train.ema_decay)
        self.optimizer = plan.optimizer(self.network.parameters())
        self.schedule = plan.schedule()
        self.schedule_options = plan.schedule_options()
        self.base_rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.optimisation = plan.optimisation_options()
        plan.check_tasks(strategy.setting.names, self.network)
        terms = plan.loss_terms(strategy.setting.names, self.network)
        self.terms = terms.names
        runner: Any = torch.compile(self.network) if plan.train.compile else self.network
        if processes.world_size > 1:
            runner = DistributedDataParallel(
                runner,
                device_ids=[processes.device] if processes.device.type == "cuda" else None,
                # an encoder that learns alone leaves the rest of the network without gradients
                find_unused_parameters=plan.options.find_unused_parameters or terms.needs_key,
            )
        streams = RandomStreams(plan.options.manual_seed)
        self._forward = Forward(
            self.network,
            runner,
            terms,
            strategy.setting.names,
            self.precision,
            streams,
            processes,
            plan.train.accum_iter,
        )
        self._strategy = strategy
        self._backward = Backward(
            self._forward, strategy, streams, processes, plan.train.accum_iter
        )

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated: the average if there is one."""
        return self.average.network if self.average else self.network

    @property
    def rates(self) -> list[float]:
        """Learning rates of the last step."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def step(
        self, iteration: int, batches: Callable[[], TaskBatch], collect: Collect, clock: StepClock
    ) -> None:
        """One optimiser step on ``accum_iter`` micro-batches.

        Args:
            iteration: steps made so far.
            batches: gives the next micro-batch.
            collect: receives the per-sample losses of each micro-batch.
            clock: gets the time of the model part.
        """
        train, scaler = self._train, self.precision.scaler
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            rate = self.schedule.rate(base, iteration)
            group["lr"] = warmed_up(rate, base, iteration, train.warmup_iter)
        self.optimizer.zero_grad(set_to_none=True)
        seen = self._backward(iteration, batches, collect, clock)
        scaler.unscale_(self.optimizer)
        if train.grad_clip_norm:
            nn.utils.clip_grad_norm_(self.network.parameters(), train.grad_clip_norm)
        scaler.step(self.optimizer)
        scaler.update()
        restored = self._forward.restores(iteration * train.accum_iter)
        if self._strategy.needs_second_look and restored:
            second_look(self._forward, self._strategy, iteration, seen)
        self._strategy.end_step()
        if self.average:
            self.average.update(self.network)
        clock.mark("model")

    def weights(self) -> dict[str, Any]:
        """The content of a weight file."""
        return network_content(self.network, self.average.network if self.average else None)

    def load_pretrained(self, file: str, key: str | None, strict: bool) -> str:
        """Start from the weights of a file; returns a sentence about them."""
        sentence = load_weights(self.network, file, key, strict)
        if self.average:
            self.average.network.load_state_dict(self.network.state_dict())
        return sentence

    def state_dict(self) -> dict[str, Any]:
        """BasicSR's ``optimizers`` and ``schedulers``, and the loss scaler."""
        return {
            "optimizers": [self.optimizer.state_dict()],
            "schedulers": [{"options": self.schedule_options, "base_lrs": self.base_rates}],
            "optimisation": self.optimisation,
            "scaler": self.precision.scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any], weights: Path, keep_schedule: bool) -> None:
        """Inverse of `state_dict` and `weights`.

        Args:
            state: as saved.
            weights: the weight file that belongs to it.
            keep_schedule: use the saved learning-rate options instead of this file's.
        """
        load_weights(self.network, weights, "params")
        if self.average:
            sentence = load_weights(self.average.network, weights, "params_ema")
            if "'params_ema'" not in sentence:
                _logger.warning("the resumed run kept no average: it starts from its weights")
        self.optimizer.load_state_dict(state["optimizers"][0])
        if state.get("scaler"):
            self.precision.scaler.load_state_dict(state["scaler"])
        saved = (state.get("schedulers") or [{}])[0]
        if keep_schedule and "options" in saved:
            self.schedule_options, self.base_rates = saved["options"], list(saved["base_lrs"])
            self.schedule = SCHEDULES.build(self.schedule_options)
