"""A short training that keeps nothing on disk: how far does a network come on given tasks?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tqdm import tqdm

from realsr_mtl.batch import TaskBatch
from realsr_mtl.data import ImageDataset
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import SAMPLINGS, Strategy
from realsr_mtl.tasks import TaskSet
from realsr_mtl.training.batches import TaskBatchMaker
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.loss_terms import StepLosses
from realsr_mtl.training.plan import TrainingPlan


def fine_tune(
    plan: TrainingPlan,
    images: ImageDataset,
    tasks: TaskSet,
    sampling: Mapping[str, Any],
    processes: Processes,
    title: str = "",
) -> Learner:
    """Train for ``train:total_iter`` steps from ``path:pretrain_network_g``.

    The images, crops and flips are those of a run with the same options and seed; the tasks are
    those of the given sampling, and the loss is the mean over samples.

    Args:
        plan: the checked options.
        images: the training set.
        tasks: the task set.
        sampling: block of the task sampling to use instead of the file's.
        processes: this process among all.
        title: of the progress bar.

    Returns:
        The learner after its last step; `Learner.evaluated` is the network to judge.

    Raises:
        UserError: the loss is not finite at the end.
    """
    setting = plan.setting(tasks, processes)
    strategy = Strategy(setting, SAMPLINGS.build(sampling, setting))
    learner = Learner(plan, strategy, processes)
    path = plan.options.path
    if path.pretrain_network_g:
        learner.load_pretrained(path.pretrain_network_g, path.param_key_g, path.strict_load_g)
    maker = TaskBatchMaker(
        tasks,
        strategy.sampling,
        setting.streams,
        scale=plan.options.scale,
        gt_size=plan.gt_size,
        sharpen=plan.options.gt_usm,
        device=processes.device,
        targets=plan.targets(learner.network),
        keep_plain=plan.needs_plain,
    )
    patches = iter(plan.loader(images, setting.streams, processes, 0))
    total = torch.zeros(1, dtype=torch.float64, device=processes.device)

    def keep(losses: StepLosses, batch: TaskBatch) -> None:
        total.add_(losses.total.detach().sum())

    clock = StepClock(processes.device)
    steps = range(plan.train.total_iter)
    hidden = None if processes.is_main else True
    for iteration in tqdm(steps, title, unit="iter", disable=hidden, leave=False):
        learner.step(
            iteration,
            lambda: maker.make(next(patches)),
            keep,
            clock,
        )
        clock.reset()
    if not bool(processes.sum(total).isfinite()):
        raise UserError(f"the loss of {title or 'a short training'} is not finite; lower the lr")
    return learner
