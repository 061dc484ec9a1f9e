"""A training experiment: the blocks that only training reads, checked and built."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.archs import (
    DISCRIMINATORS,
    TaskHeads,
    build_discriminator,
    check_patch,
    limits,
    load_weights,
)
from realsr_mtl.config import LoadedOptions, load_options
from realsr_mtl.config.schema import Component, DatasetOptions, TrainOptions
from realsr_mtl.data import ImageDataset, TrainingLoader
from realsr_mtl.data.loader import Patch
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import OptionError, UserError
from realsr_mtl.experiment import Experiment, Part, plain
from realsr_mtl.losses import LOSSES, ContrastiveLoss, GANLoss, Loss
from realsr_mtl.processes import Processes
from realsr_mtl.registry import Registry
from realsr_mtl.strategies import (
    GRADIENTS,
    GROUPINGS,
    SAMPLINGS,
    WEIGHTINGS,
    Grouping,
    Setting,
    Strategy,
    TaskSampling,
)
from realsr_mtl.tasks import (
    Groups,
    GroupTasks,
    Labels,
    PointTasks,
    Targets,
    TaskSet,
    check_points_apart,
    read_cases,
)
from realsr_mtl.training.batches import TaskBatchMaker
from realsr_mtl.training.loss_terms import LossTerms
from realsr_mtl.training.optimizers import OPTIMIZERS, build_optimizer
from realsr_mtl.training.schedules import SCHEDULES, Constant, Schedule

_logger = logging.getLogger(__name__)

_SLOTS = {
    "pixel_opt": "pix",
    "perceptual_opt": "percep",
    "gan_opt": "gan",
    "ldl_opt": "ldl",
    "contrastive_opt": "contrast",
}
"""BasicSR's way of naming losses, one key each; and what they are called in logs (``l_pix``)."""

_STRATEGY_PARTS: dict[str, Registry[Any]] = {
    "grouping": GROUPINGS,
    "sampling": SAMPLINGS,
    "weighting": WEIGHTINGS,
    "gradients": GRADIENTS,
}


class TrainingPlan(Experiment):
    """An option file that train.py can run.

    Args:
        loaded: the options; ``train`` and ``datasets: train`` are required.
    """

    def __init__(self, loaded: LoadedOptions) -> None:
        super().__init__(loaded)

    @property
    def train(self) -> TrainOptions:
        """The ``train`` block."""
        assert self.options.train is not None
        return self.options.train

    @property
    def dataset(self) -> DatasetOptions:
        """The ``datasets: train`` block."""
        return self.options.datasets["train"]

    @property
    def gt_size(self) -> int:
        """Side of the HR patch."""
        assert self.dataset.gt_size is not None
        return self.dataset.gt_size

    def parts(self) -> Iterator[Part]:
        """The blocks of `Experiment` and those of training."""
        yield from super().parts()
        strategy, train = self.options.strategy, self.options.train
        for name, registry in _STRATEGY_PARTS.items():
            if strategy and (part := getattr(strategy, name)):
                yield ("strategy", name), registry, part
        if train:
            yield ("train", "optim_g"), OPTIMIZERS, train.optim_g
            if train.optim_d:
                yield ("train", "optim_d"), OPTIMIZERS, train.optim_d
            if self.options.network_d:
                yield ("network_d",), DISCRIMINATORS, self.options.network_d
            if train.scheduler:
                yield ("train", "scheduler"), SCHEDULES, train.scheduler
            for path, loss in self._loss_blocks():
                yield path, LOSSES, loss

    def optimizer(
        self, parameters: Iterable[Tensor], block: str = "optim_g"
    ) -> torch.optim.Optimizer:
        """The optimiser of the given weights, as ``train:<block>`` says."""
        path = ("train", block)
        with self.loaded.located():
            return build_optimizer(self._checked[path], parameters, path)

    def discriminator(self) -> nn.Module:
        """The discriminator, on the CPU, with weights that depend on the seed only."""
        assert self.options.network_d is not None
        with self.loaded.located():
            return build_discriminator(
                self.options.network_d.block(), self.options.manual_seed, self.gt_size
            )

    def schedule(self) -> Schedule:
        """The learning-rate schedule."""
        return self._build(("train", "scheduler")) if self.train.scheduler else Constant()

    def schedule_options(self) -> dict[str, object]:
        """The schedule as a block; part of the training state."""
        return self._checked.get(("train", "scheduler"), {"type": "Constant"})

    def optimisation_options(self) -> dict[str, object]:
        """What a resumed run must share besides the learning rate; part of the training state."""
        blocks = [name for name in ("optim_g", "optim_d") if ("train", name) in self._checked]
        optimisers = {name: plain(self._checked["train", name]) for name in blocks}
        return {
            **{n: {k: v for k, v in block.items() if k != "lr"} for n, block in optimisers.items()},
            "ema_decay": self.train.ema_decay,
            "accum_iter": self.train.accum_iter,
        }

    def loss_terms(self, tasks: Sequence[str], network: nn.Module) -> LossTerms:
        """All losses.

        Args:
            tasks: names of the tasks.
            network: the network that they train.

        Raises:
            UserError: losses, targets or heads that do not fit the tasks or the network.
        """
        built: list[Loss] = [self._build(path) for path, _ in self._loss_blocks()]
        losses = dict(zip(self.loss_names, built, strict=True))
        with self.loaded.located():
            try:
                terms = LossTerms(losses, tasks, refined=("ldl",))
            except ValueError as error:
                raise OptionError(str(error), ("train",)) from None
            self._check_network(terms, network, tasks)
            unknown = sorted(self.options.targets.keys() - set(tasks))
            if unknown:
                raise OptionError(
                    f"there is no task '{unknown[0]}'; there are: {', '.join(tasks)}",
                    ("targets", unknown[0]),
                )
        return terms

    def _check_network(self, terms: LossTerms, network: nn.Module, tasks: Sequence[str]) -> None:
        if terms.needs_key and "key" not in inspect.signature(network.forward).parameters:
            raise OptionError(
                "ContrastiveLoss needs a network that compares two crops, such as AirNet; "
                f"{self.options.network_g.type} does not",
                ("network_g", "type"),
            )
        side = self.gt_size // self.options.scale
        try:
            check_patch(network, side)
        except ValueError as error:
            raise OptionError(
                f"{self.options.network_g.type} {error}: set gt_size accordingly, it is "
                f"{self.options.scale} times as large",
                ("datasets", "train", "gt_size"),
            ) from None
        if self.train.precision == "fp16" and not limits(network).fp16:
            _logger.warning(
                "%s is not known to train well in fp16; bf16 has the range of float32",
                self.options.network_g.type,
            )
        if isinstance(network, TaskHeads):
            try:
                network.bind(tasks)
            except UserError as error:
                raise OptionError(str(error), ("network_g", "heads")) from None
            for task in sorted(set(network.tasks) - set(tasks)):
                _logger.warning(
                    "the head of '%s' stays as it is: there is no such task (%s)",
                    task,
                    ", ".join(tasks),
                )

    @property
    def loss_names(self) -> list[str]:
        """Names of the losses in logs."""
        return [_SLOTS.get(path[-1], path[-1]) for path, _ in self._loss_blocks()]

    @property
    def needs_plain(self) -> bool:
        """Whether a loss compares with the target without the sharpening of training."""
        return not all(self._checked[path]["gt_usm"] for path, _ in self._loss_blocks())

    @property
    def _needs_key(self) -> bool:
        blocks = (self._checked[path] for path, _ in self._loss_blocks())
        return any(_is_a(block, ContrastiveLoss) for block in blocks)

    def _loss_blocks(self) -> Iterator[tuple[tuple[str, ...], Component]]:
        train = self.train
        for slot in _SLOTS:
            if block := getattr(train, slot):
                if slot == "ldl_opt":  # of any pixel loss, whose own defaults are others
                    block = Component(**{"weighted": False, "gt_usm": False, **block.block()})
                yield ("train", slot), block
        for name, block in train.losses.items():
            yield ("train", "losses", name), block

    def changed(self, overrides: Sequence[str]) -> TrainingPlan:
        """The same file with further ``--force_yml`` texts."""
        return TrainingPlan(load_options(self.loaded.file, [*self.loaded.overrides, *overrides]))

    def batch(self, processes: Processes) -> int:
        """Samples of an optimiser step over all processes."""
        return self.dataset.batch_size_per_gpu * self.train.accum_iter * processes.world_size

    def grouping(self) -> Grouping | None:
        """The part of the strategy that makes groups, if there is one."""
        path = ("strategy", "grouping")
        return self._build(path) if path in self._checked else None

    def training_tasks(self, tasks: TaskSet, processes: Processes) -> TaskSet:
        """The tasks that training draws from: groups, if the strategy makes them, or ``tasks``."""
        found = self._grouped(tasks, processes)
        self.check_cases_apart(found)
        return found

    def check_cases_apart(self, tasks: TaskSet) -> None:
        """Refuse to train or group on representative cases that the validation reports on."""
        points = tasks.points if isinstance(tasks, GroupTasks) else tasks
        if not isinstance(points, PointTasks):
            return
        for phase in self.validation_phases():
            if file := self.options.datasets[phase].cases:
                with self.loaded.located():
                    try:
                        check_points_apart(read_cases(file), points, "the points of this training")
                    except UserError as error:
                        raise OptionError(str(error), ("datasets", phase, "cases")) from None

    def _grouped(self, tasks: TaskSet, processes: Processes) -> TaskSet:
        grouping = self.grouping()
        with self.loaded.located():
            if grouping is None:
                if isinstance(tasks, Groups) and self._samples_tasks:
                    raise OptionError(
                        "the task set Groups is for validation, its G0 are frozen points; to train "
                        "on the groups use 'strategy: grouping: {type: GivenGroups, file: ...}'",
                        ("strategy", "sampling"),
                    )
                return tasks
            assert tasks.sampler is not None  # the combination is checked
            try:
                return grouping.tasks(tasks.sampler, self.batch(processes))
            except ValueError as error:
                raise OptionError(str(error), ("strategy", "grouping")) from None

    def setting(self, tasks: TaskSet, processes: Processes) -> Setting:
        """What the strategy is built for."""
        streams = RandomStreams(self.options.manual_seed)
        return Setting(tasks.names, tasks.masses, streams, self.batch(processes), processes)

    def strategy(self, setting: Setting) -> Strategy:
        """The strategy; natural sampling and the mean over samples by default."""
        weighting = self._strategy_part("weighting", setting)
        gradients = self._strategy_part("gradients", setting)
        sampling = self._strategy_part("sampling", setting)
        if len(setting) == 1 and self.strategy_options():
            _logger.warning(
                "the strategy has nothing to do: there is one task, '%s'; divide the degradation "
                "space with a 'tasks' block",
                setting.names[0],
            )
        if sampling is None:
            follows = weighting is not None and weighting.apply == "sampling"
            sampling = SAMPLINGS.build({"type": "Weighted" if follows else "Natural"}, setting)
        with self.loaded.located():
            try:
                return Strategy(setting, sampling, weighting, gradients)
            except ValueError as error:
                raise OptionError(str(error), ("strategy",)) from None

    def _strategy_part(self, name: str, setting: Setting) -> Any:
        path = ("strategy", name)
        return self._build(path, setting) if path in self._checked else None

    def pretrained(self) -> nn.Module:
        """The network with the weights of path:pretrain_network_g, if that is set."""
        network, path = self.network(), self.options.path
        if path.pretrain_network_g:
            load_weights(network, path.pretrain_network_g, path.param_key_g, path.strict_load_g)
        return network

    def strategy_options(self) -> dict[str, object]:
        """The blocks of the strategy; part of the training state."""
        return {n: plain(v) for n in _STRATEGY_PARTS if (v := self._checked.get(("strategy", n)))}

    def loader(
        self, images: ImageDataset, streams: RandomStreams, processes: Processes, first: int
    ) -> TrainingLoader:
        """Endless patches from batch ``first`` on."""
        dataset = self.dataset
        canvas = self.gt_size if images.has_lq else dataset.canvas_size or self.gt_size
        patch = Patch(
            canvas,
            self.gt_size,
            self.options.scale,
            dataset.use_hflip,
            dataset.use_rot,
            self._needs_key,
        )
        return TrainingLoader(
            images,
            patch,
            streams,
            batch_size=dataset.batch_size_per_gpu,
            workers=dataset.num_worker_per_gpu,
            worker_start=dataset.worker_start,
            rank=processes.rank,
            world_size=processes.world_size,
            first=first,
            pin_memory=dataset.pin_memory and processes.device.type == "cuda",
            max_failed=dataset.max_failed,
        )

    def tasks_of(self, images: ImageDataset, tasks: TaskSet, processes: Processes) -> TaskSet:
        """What to train on images: the labels of pairs, or `training_tasks`."""
        return Labels.of(images) if images.has_lq else self.training_tasks(tasks, processes)

    def batch_maker(
        self, tasks: TaskSet, sampling: TaskSampling, targets: Targets | None, processes: Processes
    ) -> TaskBatchMaker:
        """What makes training batches of patches."""
        return TaskBatchMaker(
            tasks,
            sampling,
            RandomStreams(self.options.manual_seed),
            scale=self.options.scale,
            gt_size=self.gt_size,
            sharpen=self.options.gt_usm,
            device=processes.device,
            targets=targets,
            keep_plain=self.needs_plain,
        )

    def check_source(self, images: ImageDataset, tasks: TaskSet) -> None:
        """HR images need a degradation to make LQ images with; pairs cannot be sampled by task."""
        sampled = self._samples_tasks
        follows = self._checked.get(("strategy", "weighting"), {}).get("apply") == "sampling"
        grouped = ("strategy", "grouping") in self._checked
        if images.has_lq and (grouped or sampled or follows):
            part = "grouping" if grouped else "sampling" if sampled else "weighting"
            with self.loaded.located():
                raise OptionError(
                    "the tasks of paired images are given and cannot be sampled; leave this out",
                    ("strategy", part),
                )
        if not images.has_gt:
            with self.loaded.located():
                raise OptionError("a training set needs HR images", ("datasets", "train"))
        if not images.has_lq and tasks.sampler is None:
            with self.loaded.located():
                raise OptionError(
                    "this data set has HR images only; add a 'degradation' block (RealESRGAN, "
                    "Classical) or use PairedImages",
                    ("datasets", "train"),
                )

    def validation_phases(self) -> list[str]:
        """The data sets to validate on; none without a ``val`` block."""
        if self.options.val is None:
            return []
        return [phase for phase in self.options.datasets if phase.startswith("val")]

    @property
    def _samples_tasks(self) -> bool:
        """Whether the strategy chooses the task of every sample itself."""
        sampling = self._checked.get(("strategy", "sampling"))
        return sampling is not None and sampling["type"] != "Natural"

    def _check_adversary(self) -> None:
        """A discriminator, its optimiser and its loss go together."""
        train = self.train
        blocks = [self._checked[path] for path, _ in self._loss_blocks()]
        adversarial = [block for block in blocks if _is_a(block, GANLoss)]
        judged = bool(adversarial)
        if len(adversarial) > 1:
            raise OptionError("one discriminator has one adversarial loss; remove one", ("train",))
        combined = ("strategy", "gradients") in self._checked
        if combined and any(
            block["type"] == "RelativisticGANLoss" and block["weighted"] for block in adversarial
        ):
            raise OptionError(
                "a weighted relativistic loss mixes the samples of a batch, by whose tasks the "
                "gradients are taken; use GANLoss",
                ("strategy", "gradients"),
            )
        parts = {
            "an adversarial loss (train:gan_opt)": judged,
            "network_d": self.options.network_d is not None,
            "train:optim_d": train.optim_d is not None,
        }
        if self.options.path.pretrain_network_d and self.options.network_d is None:
            raise OptionError(
                "there is no network_d to load it into", ("path", "pretrain_network_d")
            )
        if any(parts.values()) and not all(parts.values()):
            there = [name for name, given in parts.items() if given]
            lacking = [name for name, given in parts.items() if not given]
            raise OptionError(
                f"{' and '.join(there)} need{'s' if len(there) == 1 else ''} "
                f"{' and '.join(lacking)}, too; add or remove",
                ("network_d",) if self.options.network_d else ("train",),
            )
        if judged and train.precision == "fp16":
            raise OptionError(
                "the losses of two networks are not scaled for fp16; use bf16 or float32",
                ("train", "precision"),
            )
        if train.ldl_opt and not train.ema_decay:
            raise OptionError(
                "this loss looks at the averaged network; set train:ema_decay (0.999)",
                ("train", "ldl_opt"),
            )

    def _check_grouped_weights(self) -> None:
        """A step of one group leaves nothing to weigh."""
        one_group = self._checked.get(("strategy", "grouping"), {}).get("per") == "step"
        weighs = self._checked.get(("strategy", "weighting"), {}).get("apply") == "loss"
        combines = ("strategy", "gradients") in self._checked
        if one_group and not self._samples_tasks and (weighs or combines):
            raise OptionError(
                "with 'per: step' all samples of a step belong to one group, so there is nothing "
                "to weigh or combine; set per: sample",
                ("strategy", "grouping"),
            )

    def _check_combination(self) -> None:
        super()._check_combination()
        options = self.options
        if options.train is None:
            raise OptionError("train.py needs a 'train' block (total_iter, optim_g, pixel_opt)")
        if not options.train.pixel_opt and not options.train.losses:
            raise OptionError("there is no loss: add pixel_opt, or losses by name", ("train",))
        if "train" not in options.datasets:
            raise OptionError("train.py needs a data set called 'train'", ("datasets",))
        twice = {name for name in self.loss_names if self.loss_names.count(name) > 1}
        if twice:
            raise OptionError(
                f"two losses are called '{twice.pop()}'; BasicSR's places are called "
                f"{', '.join(_SLOTS.values())} in logs",
                ("train", "losses"),
            )
        self._check_adversary()
        dataset = self.dataset
        if dataset.gt_size is None:
            raise OptionError("the training set needs gt_size", ("datasets", "train"))
        for name in ("gt_size", "canvas_size"):
            side = getattr(dataset, name)
            if side is not None and side % options.scale:
                raise OptionError(
                    f"{side} is no multiple of scale {options.scale}", ("datasets", "train", name)
                )
        if dataset.canvas_size is not None and dataset.canvas_size < dataset.gt_size:
            raise OptionError(
                f"the canvas ({dataset.canvas_size}) is smaller than gt_size ({dataset.gt_size})",
                ("datasets", "train", "canvas_size"),
            )
        gradients = self._checked.get(("strategy", "gradients"))
        if gradients and options.train.precision == "fp16":
            raise OptionError(
                "gradients of single tasks are not scaled for fp16; use bf16 or float32",
                ("train", "precision"),
            )
        if ("strategy", "grouping") in self._checked and not options.degradation:
            raise OptionError(
                "groups are points of a degradation space; add a 'degradation' block",
                ("strategy", "grouping"),
            )
        self._check_grouped_weights()
        train = options.train
        if (
            gradients
            and gradients["rows"] == "last_layer"
            and (train.accum_iter > 1 or train.compile)
        ):
            raise OptionError(
                "rows: last_layer works with one micro-batch a step and without compile; use full "
                "or sketch",
                ("strategy", "gradients", "rows"),
            )
        if options.val is not None and options.val.val_freq is None and options.seal is None:
            raise OptionError("validation while training needs val_freq", ("val",))


def _is_a(block: Mapping[str, Any], kind: type[Loss]) -> bool:
    found = LOSSES.get(str(block["type"]))
    return inspect.isclass(found) and issubclass(found, kind)
