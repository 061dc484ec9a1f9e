"""The images on which a strategy measures the network while it trains (``datasets: probe``)."""

from __future__ import annotations

from realsr_mtl.data import ImageDataset
from realsr_mtl.errors import KeyPath, OptionError
from realsr_mtl.evaluation import Patches, ProbeSet, cut_patches
from realsr_mtl.processes import Processes
from realsr_mtl.tasks import Targets, TaskSet
from realsr_mtl.training.plan import TrainingPlan

SIZE = 256
"""Side of a patch unless the options say otherwise."""


def check_probes(plan: TrainingPlan, tasks: TaskSet) -> None:
    """Whether the options name probe images, without opening them.

    Raises:
        UserError: they do not, or the tasks have no degradation.
    """
    _require_probes(plan, ("strategy",))
    with plan.loaded.located():
        if tasks.sampler is None:
            raise OptionError(
                "this strategy measures the tasks of a degradation space; paired data has none",
                ("strategy",),
            )


def probe_images(plan: TrainingPlan) -> ImageDataset:
    """HR images that are neither trained nor validated on.

    Raises:
        UserError: there are none, or they are among the others.
    """
    _require_probes(plan, ("datasets",))
    images = plan.images("probe")
    with plan.loaded.located():
        if not images.has_gt or images.has_lq:
            raise OptionError(
                "probe images are HR images alone; they are degraded here", ("datasets", "probe")
            )
        for phase in ("train", *plan.validation_phases()):
            shared = images.gt_sources() & plan.images(phase).gt_sources()
            if shared:
                raise OptionError(
                    f"{len(shared)} probe images are also in '{phase}', e.g. '{min(shared)}'; "
                    "choose others",
                    ("datasets", "probe"),
                )
    return images


def build_probes(
    plan: TrainingPlan, tasks: TaskSet, targets: Targets, processes: Processes
) -> ProbeSet:
    """Patches of the probe images for every task.

    Raises:
        UserError: as `check_probes` and `probe_images`.
    """
    check_probes(plan, tasks)
    patches, dataset = probe_patches(plan), plan.options.datasets["probe"]
    return ProbeSet(patches, tasks, targets, dataset.seed, processes)


def probe_patches(plan: TrainingPlan) -> Patches:
    """The patches of `probe_images`.

    Raises:
        UserError: as `probe_images`, or too many images cannot be used.
    """
    images, options = probe_images(plan), plan.options
    dataset = options.datasets["probe"]
    return cut_patches(
        images,
        options.scale,
        count=dataset.patches,
        size=dataset.gt_size or SIZE,
        seed=dataset.seed,
        sharpen=options.gt_usm,
        max_failed=dataset.max_failed,
    )


def _require_probes(plan: TrainingPlan, place: KeyPath) -> None:
    if "probe" in plan.options.datasets:
        return
    with plan.loaded.located():
        raise OptionError(
            "the network is measured on images that it is not trained on; add 'datasets: probe' "
            "with a folder of HR images",
            place,
        )
