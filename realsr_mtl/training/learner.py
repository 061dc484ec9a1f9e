"""Network, optimiser and average: everything that one optimiser step changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.archs import load_weights
from realsr_mtl.batch import TaskBatch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import Strategy
from realsr_mtl.training.adversary import Adversary
from realsr_mtl.training.backward import Backward, Collect, second_look
from realsr_mtl.training.buffers import KeptBuffers
from realsr_mtl.training.checkpoints import network_content, of_discriminator
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.ema import ExponentialMovingAverage
from realsr_mtl.training.exchange import exchanging
from realsr_mtl.training.faults import Fault, FaultFinder, Made
from realsr_mtl.training.forward import Forward
from realsr_mtl.training.loss_terms import LossTerms, StepLosses
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.precision import Precision
from realsr_mtl.training.schedules import SCHEDULES, warmed_up
from realsr_mtl.training.task_gradients import check_samples_do_not_mix

_logger = logging.getLogger(__name__)


class Learner:
    """One network in training.

    Args:
        plan: the checked options.
        strategy: weighs and combines the losses of the tasks.
        processes: this process among all; with several, gradients are averaged over them.
    """

    def __init__(self, plan: TrainingPlan, strategy: Strategy, processes: Processes) -> None:
        self._train, self._strategy, self._processes = plan.train, strategy, processes
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
        terms = plan.loss_terms(strategy.setting.names, self.network)
        self.terms = terms
        terms.to(processes.device)
        self.adversary = self._adversary(plan, terms, processes)
        runner: Any = torch.compile(self.network) if plan.train.compile else self.network
        # an encoder that learns alone leaves the rest of the network without gradients
        unused = plan.options.find_unused_parameters or terms.needs_key
        runner = exchanging(runner, processes, unused)
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
            self.adversary.judge if self.adversary else None,
            self._average_for(terms),
        )
        self._backward = Backward(
            self._forward, strategy, streams, processes, plan.train.accum_iter
        )
        self._find_faults = FaultFinder(
            self._forward, self.adversary, terms.names, strategy.setting.names, processes
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
    ) -> list[Fault] | None:
        """One optimiser step on ``accum_iter`` micro-batches.

        A step with a loss or a gradient that is not finite on some process is skipped by all of
        them: weights, buffers, averages and optimisers stay as they are.

        Args:
            iteration: steps made so far.
            batches: gives the next micro-batch.
            collect: receives the per-sample losses of each micro-batch of a step that was made.
            clock: gets the time of the model part.

        Returns:
            None for a step that was made, else this process's samples that were at fault.
        """
        made: list[tuple[StepLosses, TaskBatch]] = []

        def keep(losses: StepLosses, batch: TaskBatch) -> None:
            made.append((losses, batch))

        networks = [self.network, *([self.adversary.network] if self.adversary else [])]
        before = KeptBuffers(networks)
        self._set_rates(iteration)
        if self.adversary is None or self.adversary.lets_learn(iteration):
            learned = self._learn(iteration, batches, keep, clock, made)
        else:
            self._only_restore(iteration, batches, keep)
            learned = self._processes.all(_finite(made))
        judged = learned
        if learned and self.adversary:
            judged = self.adversary.step([(x.restored, batch.task) for x, batch in made])
        faults = None
        if not judged:
            after = KeptBuffers([self.network] if learned else [])
            faults = self._find_faults(iteration, made)
            before.put_back()
            after.put_back()
        for losses, batch in made if learned else ():
            collect(losses, batch)
        # DistributedDataParallel copies buffers before some forward passes only
        self._processes.copy_from_first(self.network.buffers())
        if self.average and learned:
            self.average.update(self.network)
        clock.mark("model")
        return faults

    def losses(self, batch: TaskBatch, iteration: int) -> StepLosses:
        """The losses of samples as the step after ``iteration`` steps sees them; nothing is
        learned.
        """
        return self._forward(batch, iteration * self._train.accum_iter, alone=True)

    def _set_rates(self, iteration: int) -> None:
        optimizers = [(self.optimizer, self.base_rates)]
        if self.adversary:
            optimizers.append((self.adversary.optimizer, self.adversary.base_rates))
        for optimizer, bases in optimizers:
            for group, base in zip(optimizer.param_groups, bases, strict=True):
                rate = self.schedule.rate(base, iteration)
                group["lr"] = warmed_up(rate, base, iteration, self._train.warmup_iter)

    @torch.no_grad()
    def _only_restore(
        self, iteration: int, batches: Callable[[], TaskBatch], collect: Collect
    ) -> None:
        """A step of the discriminator alone."""
        for place in range(self._train.accum_iter):
            batch, number = batches(), iteration * self._train.accum_iter + place
            collect(self._forward(batch, number, alone=True), batch)

    def _learn(
        self,
        iteration: int,
        batches: Callable[[], TaskBatch],
        collect: Collect,
        clock: StepClock,
        made: Made,
    ) -> bool:
        """A step of the network; False if it was skipped, because something was not finite."""
        train, scaler = self._train, self.precision.scaler
        self.optimizer.zero_grad(set_to_none=True)
        seen = self._backward(iteration, batches, collect, clock)
        scaler.unscale_(self.optimizer)
        parameters = [p for p in self.network.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        finite = _finite(made)
        # gradients that overflow in fp16 are the business of the scaler while it can give way
        if not scaler.is_enabled() or scaler.get_scale() < 1:
            finite = finite & norm.isfinite()
        learned = self._processes.all(finite)
        if learned:
            if train.grad_clip_norm:
                nn.utils.clip_grads_with_norm_(parameters, train.grad_clip_norm, norm)
            scaler.step(self.optimizer)
        scaler.update()
        restored = self._forward.restores(iteration * train.accum_iter)
        if learned and self._strategy.needs_second_look and restored:
            second_look(self._forward, self._strategy, iteration, seen)
        self._strategy.end_step()
        return learned

    def _adversary(
        self, plan: TrainingPlan, terms: LossTerms, processes: Processes
    ) -> Adversary | None:
        loss = terms.adversarial
        if loss is None:
            return None
        network = plan.discriminator().to(processes.device)
        network.to(memory_format=self.precision.memory_format)  # type: ignore[call-overload]
        if self._strategy.gradients is not None and loss.weighted:
            check_samples_do_not_mix(network)
        return Adversary(
            network,
            loss,
            plan.optimizer(network.parameters(), "optim_d"),
            self._strategy.setting.names,
            self.precision,
            processes,
            every=plan.train.net_d_iters,
            first=plan.train.net_d_init_iters,
        )

    def _average_for(self, terms: LossTerms) -> nn.Module | None:
        return self.average.network if self.average and terms.needs_average else None

    def weights(self) -> dict[str, Any]:
        """The content of a weight file."""
        return network_content(self.network, self.average.network if self.average else None)

    def load_pretrained(self, file: str, key: str | None, strict: bool) -> str:
        """Start from the weights of a file; returns a sentence about them."""
        sentence = load_weights(self.network, file, key, strict)
        if self.average:
            self.average.network.load_state_dict(self.network.state_dict())
        return sentence

    def judgement(self) -> dict[str, Any]:
        """The content of a weight file of the discriminator; empty without one."""
        return network_content(self.adversary.network, None) if self.adversary else {}

    def load_discriminator(self, file: str | Path, key: str | None, strict: bool) -> str:
        """Start the discriminator from a file; returns a sentence about it."""
        assert self.adversary is not None
        return load_weights(self.adversary.network, file, key, strict)

    def state_dict(self) -> dict[str, Any]:
        """BasicSR's ``optimizers`` and ``schedulers``, the discriminator's behind the network's,
        and the loss scaler; called by all processes together.
        """
        rates, optimizers = [self.base_rates], [self.optimizer]
        if self.adversary:
            rates.append(self.adversary.base_rates)
            optimizers.append(self.adversary.optimizer)
        return {
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "schedulers": [{"options": self.schedule_options, "base_lrs": own} for own in rates],
            "optimisation": self.optimisation,
            "scaler": self.precision.scaler.state_dict(),
            **({"adversary": self.adversary.state_dict()} if self.adversary else {}),
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
        if self.adversary:
            self.load_discriminator(weights.with_name(of_discriminator(weights.name)), None, True)
            if len(state["optimizers"]) < 2:
                raise UserError("the state has no optimiser of a discriminator; start a new run")
            self.adversary.optimizer.load_state_dict(state["optimizers"][1])
            if "adversary" in state:
                self.adversary.load_state_dict(state["adversary"])
        if state.get("scaler"):
            self.precision.scaler.load_state_dict(state["scaler"])
        saved = state.get("schedulers") or [{}]
        if keep_schedule and "options" in saved[0]:
            self.schedule_options, self.base_rates = saved[0]["options"], list(saved[0]["base_lrs"])
            self.schedule = SCHEDULES.build(self.schedule_options)
            if self.adversary and len(saved) > 1:
                self.adversary.base_rates = list(saved[1]["base_lrs"])


def _finite(made: Made) -> Tensor:
    """Whether every loss is finite: a bool tensor on the training device."""
    return torch.stack([losses.values.isfinite().all() for losses, _ in made]).all()
