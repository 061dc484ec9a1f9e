"""The stages of TGSR's task grouping: points, indicator, joint trainings, groups."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from realsr_mtl.config import DatasetOptions
from realsr_mtl.degradations import DegradationParameters, RandomStreams
from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.evaluation import ProbeSet
from realsr_mtl.processes import Processes
from realsr_mtl.strategies.grouping import (
    Round,
    TaskGrouping,
    group_in_rounds,
    random_groups,
    unsatisfactory,
)
from realsr_mtl.tasks import PointTasks, Targets, draw_points, points_text, read_points
from realsr_mtl.training.fine_tune import fine_tune
from realsr_mtl.training.grouping.folder import RESULTS, GroupingFolder
from realsr_mtl.training.grouping.gradient_indicator import GradientIndicator
from realsr_mtl.training.grouping.indicator import FineTuneIndicator, Score, check_scores, chunks
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.probing import probe_patches

_logger = logging.getLogger(__name__)

_READ = {"type", "gt_size", "canvas_size", "use_hflip", "use_rot", "patches", "seed"}
"""Common keys of a data set that results depend on; batches are counted by stage."""

_LOG_SECONDS = 30.0
"""Between lines of progress in a log file: the search takes hours."""

_OLD_SHARE = 0.05
"""Largest part that the starting weights may have in the average that is scored."""

T = TypeVar("T")


class GroupSearch:
    """Finds groups from an option file whose strategy has ``grouping: TaskGrouping``.

    Every stage reads what an earlier call left in the folder and goes on from there.

    Args:
        plan: the checked options.
        processes: this process among all; the tasks of the indicator are shared out over them.
        overwrite: discard results that were made with other options.

    Raises:
        UserError: options that do not fit.
    """

    def __init__(self, plan: TrainingPlan, processes: Processes, overwrite: bool = False) -> None:
        grouping = plan.grouping()
        if not isinstance(grouping, TaskGrouping):
            raise UserError(
                f"{plan.loaded.file} has no 'strategy: grouping: {{type: TaskGrouping, ...}}', "
                "which says what to search for"
            )
        if not plan.options.path.pretrain_network_g:
            raise UserError(
                f"{plan.loaded.file} has no path:pretrain_network_g; tasks are judged by the "
                "weights of a trained network"
            )
        if plan.train.precision == "fp16":
            with plan.loaded.located():
                raise OptionError(
                    "the losses of the short trainings are not scaled for fp16; use bf16 or "
                    "float32",
                    ("train", "precision"),
                )
        self.plan, self.options, self.processes = plan, grouping, processes
        self.folder = GroupingFolder(grouping.folder, overwrite)
        self._joint = plan.changed(
            [
                f"train:total_iter={grouping.joint_iter}",
                f"train:optim_g:lr={grouping.joint_lr}",
                "train:scheduler=null",
                "train:warmup_iter=-1",
            ]
        )
        batch = grouping.indicator_batch or plan.dataset.batch_size_per_gpu
        self._short = plan.changed(
            [
                f"train:optim_g:lr={grouping.indicator_lr}",
                f"datasets:train:batch_size_per_gpu={batch}",
            ]
        )
        sampler = plan.sampler()
        assert sampler is not None  # the plan has checked it
        self._sampler = sampler
        self._images = plan.images("train")
        if self._images.has_lq:
            with plan.loaded.located():
                raise OptionError("point tasks need HR images alone", ("datasets", "train"))
        self._patches = probe_patches(plan)
        self._network = plan.pretrained().to(processes.device)

    def run(self) -> list[Round]:
        """All stages.

        Returns:
            The rounds; their groups are also in ``groups.json``.

        Raises:
            UserError: results of other options in the folder, or no group at all.
        """
        points = self.points()
        self.plan.check_cases_apart(points)
        scores = self._indicators(points)
        values = torch.tensor([score.indicator for score in scores], dtype=torch.float64)
        chosen = unsatisfactory(values, self.options.fraction, self.options.threshold)
        if not chosen:
            raise UserError(
                f"no task is unsatisfactory: the lowest indicator is {float(values.min()):.4f}, "
                f"strategy:grouping:threshold is {self.options.threshold}"
            )
        before, rounds = self._rounds(points, chosen)
        if self.processes.is_main:
            used = {f"round_{number}.json" for number in range(1, len(rounds) + 1)}
            self.folder.discard(*RESULTS, "round_*.json", keep=used)
            self._write_table(points, scores, chosen, before, rounds)
            self._write_groups(points, rounds)
        self.processes.barrier()
        if not any(found.group for found in rounds):
            best = max(float(found.improvement.max()) for found in rounds)
            raise UserError(
                f"no task improves by more than the thresholds {list(self.options.thresholds)}; "
                f"the largest improvement is {best:.3f} dB; lower strategy:grouping:thresholds, "
                "use unit: quantile, or a longer joint_iter"
            )
        return rounds

    # stages

    def points(self) -> PointTasks:
        """Stage 1: the tasks, drawn or read."""
        return PointTasks(self._sampler, *self._first_alone(self._drawn_points))

    def _drawn_points(self) -> tuple[list[str], DegradationParameters]:
        self.folder.claim("points", self._point_settings())
        if not (self.folder / "points.jsonl").exists():
            points = draw_points(self._sampler, self.options.points, self.options.seed)
            self.folder.write_text("points.jsonl", points_text(points))
        return read_points(self.folder / "points.jsonl", self._sampler)

    def known_scores(self) -> dict[str, Score]:
        """What is already known of stage 2, by task.

        Raises:
            UserError: it was made with other options.
        """
        return self._first_alone(self._read_scores)

    def _read_scores(self) -> dict[str, Score]:
        self.folder.claim("indicator", self._indicator_settings())
        lines = self.folder.lines("indicator.jsonl")
        return {line.pop("task"): Score(**line) for line in lines}

    def _indicators(self, points: PointTasks) -> list[Score]:
        """A score for each point; the folder gets every chunk as soon as it is known."""
        names, known = points.names, self.known_scores()
        missing = [i for i, name in enumerate(names) if name not in known]
        if missing:
            known |= self._missing_indicators(points, missing)
        return [known[name] for name in names]

    def _missing_indicators(self, points: PointTasks, missing: list[int]) -> dict[str, Score]:
        processes, indicator = self.processes, self.indicator(points)
        size, found = indicator.side_by_side, dict[str, Score]()
        done = len(points) - len(missing)
        with tqdm(
            total=len(points),
            initial=done,
            desc="indicator",
            unit="task",
            disable=not processes.is_main,
            mininterval=0.1 if sys.stderr.isatty() else _LOG_SECONDS,
        ) as bar:
            for tasks in chunks(missing, size * processes.world_size):
                mine = tasks[processes.rank * size : (processes.rank + 1) * size]
                scores = dict(zip(mine, indicator.scores(mine), strict=True)) if mine else {}
                merged = {t: s for part in processes.gather(scores) for t, s in part.items()}
                new = {points.names[task]: merged[task] for task in tasks}
                check_scores(new)
                if processes.is_main:
                    lines = [{"task": name, **vars(score)} for name, score in new.items()]
                    self.folder.append("indicator.jsonl", lines)
                found |= new
                bar.update(len(tasks))
        return found

    def indicator(self, points: PointTasks) -> FineTuneIndicator | GradientIndicator:
        """What scores tasks in stage 2."""
        own, device = self.options, self.processes.device
        if own.indicator == "gradient":
            return GradientIndicator(
                self._short,
                self._images,
                points,
                self._network,
                batches=own.gradient_batches,
                device=device,
            )
        return FineTuneIndicator(
            self._short,
            self._images,
            points,
            self._network,
            steps=own.indicator_iter,
            window=own.window,
            side_by_side=own.side_by_side,
            device=device,
        )

    def _rounds(self, points: PointTasks, chosen: list[int]) -> tuple[Tensor, list[Round]]:
        """PSNR of the starting weights on the chosen tasks, and the grouping rounds."""
        own, processes, joint = self.options, self.processes, self._joint
        self._first_alone(lambda: self.folder.claim("rounds", self._round_settings()))
        left_over = joint.train.ema_decay**own.joint_iter
        if left_over > _OLD_SHARE and processes.is_main:
            _logger.warning(
                "after %d joint steps the average of decay %g still holds %.0f %% of the starting "
                "weights, which hides improvements; lower train:ema_decay",
                own.joint_iter,
                joint.train.ema_decay,
                100 * left_over,
            )
        names, place = points.names, {task: i for i, task in enumerate(chosen)}
        seed = joint.options.datasets["probe"].seed
        part, scale = points.part(chosen), joint.options.scale
        probes = ProbeSet(self._patches, part, Targets(scale), seed, processes)

        def measured(file: str, tasks: list[int], measure: Callable[[], Tensor]) -> Tensor:
            """Values of tasks from a file, or measured and written to it."""
            wanted = [names[task] for task in tasks]
            kept = self._first_alone(lambda: self.folder.read(file))
            if kept is None or list(kept) != wanted:
                kept = dict(zip(wanted, measure().tolist(), strict=True))
                if processes.is_main:
                    self.folder.write(file, kept)
            return torch.tensor(list(kept.values()), dtype=torch.float64)

        before = measured("before.json", chosen, lambda: probes.psnr(self._network))

        def improve(number: int, left: list[int]) -> Tensor:
            def train() -> Tensor:
                tasks = points.part(left, joint.batch(processes))
                title = f"round {number + 1}, {len(left)} tasks"
                learner = fine_tune(
                    joint, self._images, tasks, {"type": "Natural"}, processes, title
                )
                places = [place[task] for task in left]
                return probes.psnr(learner.evaluated, places) - before[places]

            return measured(f"round_{number + 1}.json", left, train)

        single = own.rounds == "single"
        return before, group_in_rounds(chosen, own.thresholds, own.unit, improve, single=single)

    def _first_alone(self, work: Callable[[], T]) -> T:
        """What the first process finds; a mistake that it finds is one on every process."""
        result: Any = None
        if self.processes.is_main:
            try:
                result = work()
            except UserError as error:
                result = error
        result = self.processes.broadcast(result)
        if isinstance(result, UserError):
            raise result
        found: T = result
        return found

    # results

    def _write_groups(self, points: PointTasks, rounds: Sequence[Round]) -> None:
        found = {f"G{number}": own for number, own in enumerate(rounds, start=1) if own.group}
        entries = [
            {
                "name": name,
                "threshold": own.threshold,
                "threshold_in_dB": own.limit,
                "points": [points.names[task] for task in own.group],
            }
            for name, own in found.items()
        ]
        sizes = [len(own.group) for own in found.values()]
        drawn = random_groups(sizes, len(points), RandomStreams(self.options.seed))
        control = [
            {"name": name, "points": [points.names[i] for i in own]}
            for name, own in zip(found, drawn, strict=True)
        ]
        for file, groups in (("groups.json", entries), ("random_groups.json", control)):
            if groups:
                content = {"points": "points.jsonl", "options": self.options.decisive}
                self.folder.write(file, {**content, "groups": groups})

    def _write_table(
        self,
        points: PointTasks,
        scores: Sequence[Score],
        chosen: Sequence[int],
        before: Tensor,
        rounds: Sequence[Round],
    ) -> None:
        """``tasks.csv``: a row for each task, empty cells where a task took no part."""
        psnr = dict(zip(chosen, before.tolist(), strict=True))
        group = {t: f"G{n}" for n, own in enumerate(rounds, start=1) for t in own.group}
        gains = [dict(zip(own.tasks, own.improvement.tolist(), strict=True)) for own in rounds]
        header = ["task", "indicator", "loss_before", "loss_after", "unsatisfactory", "psnr"]
        header += [f"improvement_{n}" for n in range(1, len(rounds) + 1)]
        lines = [",".join([*header, "group"])]
        for task, (name, score) in enumerate(zip(points.names, scores, strict=True)):
            after = "" if score.after is None else score.after
            cells = [name, score.indicator, score.before, after, int(task in psnr)]
            cells += [psnr.get(task, "")] + [own.get(task, "") for own in gains]
            lines.append(",".join(str(cell) for cell in [*cells, group.get(task, "G0")]))
        self.folder.write_text("tasks.csv", "\n".join(lines) + "\n")

    # what the stages depend on

    def _point_settings(self) -> dict[str, Any]:
        own, resolved = self.options, self.plan.resolved()
        return {
            "points": own.points,
            "seed": own.seed,
            "scale": resolved["scale"],
            "degradation": resolved["degradation"],
        }

    def _indicator_settings(self) -> dict[str, Any]:
        text = (self.folder / "points.jsonl").read_bytes()
        return {
            **self._common_settings(),
            "points.jsonl": hashlib.sha256(text).hexdigest(),
            **self.options.indicator_options,
            "indicator_batch": self._short.dataset.batch_size_per_gpu,
        }

    def _round_settings(self) -> dict[str, Any]:
        train = self.plan.resolved()["train"]
        keys = ("ema_decay", "accum_iter", "grad_clip_norm")
        return {
            **self._common_settings(),
            "joint_iter": self.options.joint_iter,
            "joint_lr": self.options.joint_lr,
            **{key: train[key] for key in keys},
            "samples_per_step": self.plan.batch(self.processes),
            "probe": _data(self.plan.resolved()["datasets"]["probe"]),
        }

    def _common_settings(self) -> dict[str, Any]:
        resolved = self.plan.resolved()
        optimizer = {k: v for k, v in resolved["train"]["optim_g"].items() if k != "lr"}
        return {
            "weights": _checksum(self._network),
            "network_g": resolved["network_g"],
            "manual_seed": resolved["manual_seed"],
            "gt_usm": resolved["gt_usm"],
            "train": _data(resolved["datasets"]["train"]),
            "optim_g": optimizer,
            "pixel_opt": resolved["train"]["pixel_opt"],
            "precision": resolved["train"]["precision"],
        }


def _data(block: Mapping[str, Any]) -> dict[str, Any]:
    """What results depend on: the images and how patches are cut, not speed or validation."""
    unread = (DatasetOptions.model_fields.keys() | {"cache"}) - _READ
    return {key: value for key, value in block.items() if key not in unread}


def _checksum(network: nn.Module) -> str:
    """SHA-256 of all weights."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
