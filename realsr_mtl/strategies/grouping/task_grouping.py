"""TGSR: groups of the tasks that a network falls short on.

Zhang et al., "Real-World Image Super-Resolution as Multi-Task Learning", NeurIPS 2023. The paper's
code has none of this; what it leaves open (learning rates, batch, the exact ratio) is chosen here
and said so in docs/tgsr.md.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from realsr_mtl.degradations import DegradationSampler
from realsr_mtl.strategies.grouping.base import GROUPINGS, Grouping
from realsr_mtl.strategies.grouping.selection import Unit
from realsr_mtl.tasks import GroupTasks

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Rate = Annotated[float, Field(gt=0)]


@GROUPINGS.register(aliases=["TGSR"])
class TaskGrouping(Grouping):
    """TGSR: trains on the groups that scripts/task_grouping.py found with these options.

    Short fine-tunes from path:pretrain_network_g say which of many point tasks are unsatisfactory;
    joint fine-tunes on those say which improve most together and form a group.

    Args:
        folder: where scripts/task_grouping.py writes and train.py reads.
        points: number of point tasks drawn from the degradation space; 4,000 in TGSR.
        seed: of the points and of the random control groups.
        indicator: fine_tune, loss after over loss before a short training on each task alone; or
            gradient, predicted from the gradient of each task, much cheaper.
        indicator_iter: steps of each short training; 100 in TGSR.
        window: the ratio is the mean over the last so many steps; 10 in TGSR.
        indicator_lr: constant learning rate of the short trainings; the optimiser is that of
            train:optim_g, fresh for every task, without clipping or accumulation.
        indicator_batch: samples of their batches; default: batch_size_per_gpu of the training set.
        gradient_batches: batches per task of the indicator gradient, at least 2.
        side_by_side: short trainings at a time on one device, on stacked weights; auto: 8 on a GPU
            for networks of up to two million weights, else 1 (stacking does not pay on a CPU).
        fraction: share of the tasks that are unsatisfactory; 0.4 in TGSR.
        threshold: tasks below this ratio are unsatisfactory, instead of a fraction.
        joint_iter: steps of a joint training; 10,000 in TGSR.
        joint_lr: constant learning rate of the joint trainings.
        thresholds: least improvement of each group, strictly decreasing; 0.8 to 0.2 dB in TGSR.
        unit: of the thresholds, dB, or quantile of the improvements of a round (a short joint
            training gains less than 0.8 dB).
        rounds: iterative, a joint training for each threshold on the tasks that are left; or
            single, one for all.
    """

    def __init__(
        self,
        *,
        folder: str,
        points: Count = 4000,
        seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0,
        indicator: Literal["fine_tune", "gradient"] = "fine_tune",
        indicator_iter: Count = 100,
        window: Count = 10,
        indicator_lr: Rate = 1e-4,
        indicator_batch: Count | None = None,
        gradient_batches: Annotated[int, Field(ge=2)] = 8,
        side_by_side: Count | Literal["auto"] = "auto",
        fraction: Share = 0.4,
        threshold: Rate | None = None,
        joint_iter: Count = 10_000,
        joint_lr: Rate = 1e-4,
        thresholds: tuple[float, ...] = (0.8, 0.6, 0.4, 0.2),
        unit: Unit = "dB",
        rounds: Literal["iterative", "single"] = "iterative",
        **others: Any,
    ) -> None:
        super().__init__(**others)
        if not thresholds or any(a <= b for a, b in itertools.pairwise(thresholds)):
            raise ValueError(f"thresholds must be strictly decreasing, found {list(thresholds)}")
        if unit == "quantile" and not (thresholds[-1] > 0 and thresholds[0] < 1):
            raise ValueError(f"quantiles lie between 0 and 1, found {list(thresholds)}")
        if window > indicator_iter:
            raise ValueError(f"the window ({window}) is longer than indicator_iter")
        self.folder = Path(folder)
        self.points, self.seed = points, seed
        self.indicator, self.indicator_iter, self.window = indicator, indicator_iter, window
        self.indicator_lr, self.indicator_batch = indicator_lr, indicator_batch
        self.gradient_batches, self.side_by_side = gradient_batches, side_by_side
        self.fraction, self.threshold = fraction, threshold
        self.joint_iter, self.joint_lr = joint_iter, joint_lr
        self.thresholds, self.unit, self.rounds = thresholds, unit, rounds

    @property
    def decisive(self) -> dict[str, Any]:
        """The options that the groups depend on."""
        names = (
            *("points", "seed", "fraction", "threshold"),
            *("joint_iter", "joint_lr", "unit", "rounds"),
        )
        found = {name: getattr(self, name) for name in names}
        return {**found, **self.indicator_options, "thresholds": list(self.thresholds)}

    @property
    def indicator_options(self) -> dict[str, Any]:
        """Those that the indicator depends on."""
        names = ["indicator", "indicator_batch"]
        if self.indicator == "gradient":
            names += ["gradient_batches"]
        else:
            names += ["indicator_iter", "window", "indicator_lr"]
        return {name: getattr(self, name) for name in names}

    def tasks(self, sampler: DegradationSampler, batch: int) -> GroupTasks:
        """The groups that were found with these options.

        Raises:
            ValueError: they were found with others.
        """
        tasks = super().tasks(sampler, batch)
        made = json.loads(self.group_file.read_text(encoding="utf-8")).get("options")
        made = made if isinstance(made, dict) else {}
        for name, value in self.decisive.items():
            if made.get(name) != value:
                raise ValueError(
                    f"the groups in '{self.folder}' were made with {name}: {made.get(name)}, this "
                    f"file has {value}; run scripts/task_grouping.py again, or use GivenGroups "
                    f"with file: {self.group_file}"
                )
        return tasks

    @property
    def group_file(self) -> Path:
        """``groups.json`` in the folder."""
        return self.folder / "groups.json"
