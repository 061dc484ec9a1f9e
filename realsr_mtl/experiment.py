"""An option file as an experiment: every block checked, every part built from one place."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from torch import nn

from realsr_mtl.archs import ARCHS, TaskHeads, build_network
from realsr_mtl.config import Component, LoadedOptions
from realsr_mtl.data import DATASETS, ImageDataset
from realsr_mtl.degradations import SAMPLERS, DegradationSampler
from realsr_mtl.errors import KeyPath, OptionError, UnavailableError, UserError
from realsr_mtl.evaluation import EvaluationSet, Evaluator, Inference
from realsr_mtl.metrics import METRICS, Metric
from realsr_mtl.processes import Processes
from realsr_mtl.registry import Registry
from realsr_mtl.tasks import TARGETS, TASK_SETS, CaseTasks, Targets, TaskSet, read_cases

_logger = logging.getLogger(__name__)

Part = tuple[KeyPath, Registry[Any], Component]
"""A block of the file: where it stands, the registry that reads it, the block."""


class Experiment:
    """The parts that training and testing share.

    Creating it checks the keys of every block against the class that reads it, before any image
    or weight file is touched.

    Args:
        loaded: the options.

    Raises:
        UserError: a block that does not fit; the sentence names file, line and key.
    """

    def __init__(self, loaded: LoadedOptions) -> None:
        self.loaded = loaded
        self.options = loaded.options
        with loaded.located():
            self._checked = {
                path: registry.check(block.block(), path, _other_keys(block))
                for path, registry, block in self.parts()
            }
            self._check_combination()

    def parts(self) -> Iterator[Part]:
        """Every block that a registered class reads."""
        options = self.options
        for phase, dataset in options.datasets.items():
            yield ("datasets", phase), DATASETS, dataset
        if options.degradation:
            yield ("degradation",), SAMPLERS, options.degradation
        if options.tasks:
            yield ("tasks",), TASK_SETS, options.tasks
        for task, target in options.targets.items():
            yield ("targets", task), TARGETS, target
        yield ("network_g",), ARCHS, options.network_g
        if options.seal:
            yield ("seal", "acceptance"), ARCHS, options.seal.acceptance
            for name, family in options.seal.families.items():
                yield ("seal", "families", name), SAMPLERS, family
        for name, metric in (options.val.metrics if options.val else {}).items():
            yield ("val", "metrics", name), METRICS, metric

    def resolved(self) -> dict[str, Any]:
        """The options with every default filled in; read back, they give the same experiment."""
        result: dict[str, Any] = self.options.model_dump(mode="json")
        for path, values in self._checked.items():
            block = result
            for key in path[:-1]:
                block = block[str(key)]
            block[str(path[-1])] = {**block[str(path[-1])], **plain(values)}
        return result

    def differences(self) -> list[str]:
        """One line for each option that is not at its default."""
        defaults = {path: dict(self._defaults(path)) for path in self._checked}
        lines: list[str] = []
        _compare(self.resolved(), type(self.options), defaults, (), lines)
        return lines

    def _defaults(self, path: KeyPath) -> Iterator[tuple[str, Any]]:
        registry = next(r for p, r, _ in self.parts() if p == path)
        model = registry.options(self._checked[path]["type"])
        for name, field in model.model_fields.items():
            if not field.is_required() and _writable(field.default):
                yield name, plain(field.default)

    # building

    def network(self) -> nn.Module:
        """The network, on the CPU, with weights that depend on the seed only."""
        options = self.options
        with self.loaded.located():
            return build_network(options.network_g.block(), options.scale, options.manual_seed)

    def sampler(self) -> DegradationSampler | None:
        """The degradation sampler."""
        if self.options.degradation is None:
            return None
        return self._build(("degradation",), self.options.scale)

    def tasks(self, sampler: DegradationSampler | None) -> TaskSet:
        """The task set; one task by default."""
        if self.options.tasks is None:
            return TASK_SETS.build({"type": "SingleTask"}, sampler)
        return self._build(("tasks",), sampler)

    def images(self, phase: str) -> ImageDataset:
        """A data set; lists its files."""
        return self._build(("datasets", phase), self.options.scale)

    def metrics(self) -> dict[str, Metric]:
        """The metrics; one that this installation cannot compute is left out with a warning."""
        metrics = {}
        for name in self.options.val.metrics if self.options.val else {}:
            try:
                metrics[name] = self._build(("val", "metrics", name))
            except UnavailableError as error:
                _logger.warning("metric '%s' is left out: %s", name, error)
        return metrics

    def targets(self, network: nn.Module) -> Targets:
        """What the outputs of a network are compared with."""
        heads = network.tasks if isinstance(network, TaskHeads) else []
        scales = {task: network.scale_of(task) for task in heads}  # type: ignore[operator]
        makers = {task: self._build(("targets", task)) for task in self.options.targets}
        with self.loaded.located():
            try:
                return Targets(self.options.scale, makers, scales)
            except ValueError as error:
                raise OptionError(str(error), ("network_g", "heads")) from None

    def evaluator(
        self,
        phases: list[str],
        tasks: TaskSet,
        metrics: Mapping[str, Metric],
        processes: Processes,
        targets: Targets,
    ) -> Evaluator:
        """The evaluator of the given data sets."""
        val = self.options.val
        return Evaluator(
            [self._evaluation_set(phase, tasks, targets) for phase in phases],
            metrics,
            processes,
            Inference.of(val).tile,
            progress=val.pbar if val else True,
        )

    def _evaluation_set(self, phase: str, tasks: TaskSet, targets: Targets) -> EvaluationSet:
        dataset = self.options.datasets[phase]
        images = self.images(phase)
        if dataset.cases:
            tasks = self._cases(phase, images)
        with self.loaded.located():
            try:
                return EvaluationSet(
                    dataset.name or phase,
                    images,
                    self.options.scale,
                    tasks,
                    chosen=dataset.tasks,
                    seed=dataset.seed,
                    max_images=dataset.max_images,
                    max_failed=dataset.max_failed,
                    crop_multiple=dataset.crop_multiple,
                    targets=targets,
                )
            except ValueError as error:
                raise OptionError(str(error), ("datasets", phase)) from None

    def _cases(self, phase: str, images: ImageDataset) -> CaseTasks:
        """The representative cases that a data set is degraded by."""
        place = ("datasets", phase, "cases")
        with self.loaded.located():
            if images.has_lq:
                raise OptionError("the images are pairs; cases degrade HR images", place)
            try:
                cases = read_cases(str(self.options.datasets[phase].cases))
            except UserError as error:
                raise OptionError(str(error), place) from None
            assert cases.sampler is not None
            if cases.sampler.scale != self.options.scale:
                raise OptionError(f"the cases are for scale {cases.sampler.scale}", place)
        return cases

    def _build(self, path: KeyPath, *runtime: Any) -> Any:
        registry = next(r for p, r, _ in self.parts() if p == path)
        with self.loaded.located():
            return registry.build(self._checked[path], *runtime, path=path)

    def _check_combination(self) -> None:
        """Mistakes that no single block shows; subclasses add theirs."""
        if self.options.tasks and not self.options.degradation:
            raise OptionError(
                "tasks need a 'degradation' block whose space they divide", ("tasks",)
            )
        for phase in ("train", "probe"):
            if phase in self.options.datasets and self.options.datasets[phase].cases:
                raise OptionError(
                    "cases are for reports, data sets called val* or test*; training draws from "
                    "the degradation",
                    ("datasets", phase, "cases"),
                )
        metrics = self.options.val.metrics if self.options.val else {}
        protocols = {METRICS.get(metric.type).protocol: name for name, metric in metrics.items()}  # type: ignore[attr-defined]
        if len(protocols) > 1:
            raise OptionError(
                f"'{protocols.popitem()[1]}' and '{protocols.popitem()[1]}' belong to different "
                "protocols (RGB or Y, rounded or not); their numbers never stand in one table",
                ("val", "metrics"),
            )
        names = [d.name or phase for phase, d in self.options.datasets.items() if phase != "train"]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise OptionError(
                f"two data sets are called '{twice.pop()}'; tables and images need names of their "
                "own",
                ("datasets",),
            )


def _other_keys(block: Component) -> list[str]:
    return list(type(block).model_fields) if type(block) is not Component else []


def plain(value: Any) -> Any:
    """Tuples as lists, for YAML; a default that no file can hold (a class) is left out."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items() if _writable(v)}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


_PLAIN = (str, int, float, bool, Mapping, list, tuple, BaseModel)


def _writable(value: Any) -> bool:
    return value is None or isinstance(value, _PLAIN)


def _compare(
    value: Mapping[str, Any],
    model: Any,
    defaults: Mapping[KeyPath, Mapping[str, Any]],
    path: KeyPath,
    lines: list[str],
) -> None:
    fields = getattr(model, "model_fields", {})
    for key, inner in value.items():
        here = (*path, key)
        known = defaults.get(path, {})
        field = fields.get(key)
        if isinstance(inner, Mapping) and key not in known:
            block = _inner_model(field)
            if getattr(getattr(field, "annotation", None), "__origin__", None) is dict:
                for name, member in inner.items():
                    _compare(member, block, defaults, (*here, name), lines)
            else:
                _compare(inner, block, defaults, here, lines)
            continue
        missing = object()
        default = known.get(key, missing)
        if default is missing and field is not None and not field.is_required():
            default = plain(field.get_default(call_default_factory=True))
        if inner == default:
            continue
        text = ":".join(map(str, here))
        lines.append(
            f"{text} = {inner!r}" + ("" if default is missing else f"  (default {default!r})")
        )


def _inner_model(field: Any) -> Any:
    """The block model of a field: of ``X``, ``X | None`` or ``dict[str, X]``."""
    annotation = getattr(field, "annotation", None)
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((c for c in candidates if hasattr(c, "model_fields")), None)
