"""A short training that keeps nothing on disk: how far does a network come on given tasks?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from realsr_mtl.data import ImageDataset
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.strategies import SAMPLINGS, Strategy
from realsr_mtl.tasks import TaskSet
from realsr_mtl.training.clock import StepClock
from realsr_mtl.training.faults import describe
from realsr_mtl.training.learner import Learner
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
        UserError: a loss or a gradient is not finite.
    """
    setting = plan.setting(tasks, processes)
    strategy = Strategy(setting, SAMPLINGS.build(sampling, setting))
    learner = Learner(plan, strategy, processes)
    path = plan.options.path
    if path.pretrain_network_g:
        learner.load_pretrained(path.pretrain_network_g, path.param_key_g, path.strict_load_g)
    targets = plan.targets(learner.network)
    maker = plan.batch_maker(tasks, strategy.sampling, targets, processes)
    patches = iter(plan.loader(images, setting.streams, processes, 0))
    clock = StepClock(processes.device)
    steps = range(plan.train.total_iter)
    hidden = None if processes.is_main else True
    for iteration in tqdm(steps, title, unit="iter", disable=hidden, leave=False):
        faults = learner.step(
            iteration, lambda: maker.make(next(patches)), lambda losses, batch: None, clock
        )
        if faults is not None:
            reason = describe(faults[0].entry()) if faults else "the gradient is not finite"
            raise UserError(f"{title or 'a short training'}: {reason}; lower the lr")
        clock.reset()
    return learner
