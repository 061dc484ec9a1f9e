"""An option file with a ``seal`` block: what is evaluated on, and with what lines are trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from realsr_mtl.config.schema import SealOptions
from realsr_mtl.data import ImageDataset
from realsr_mtl.errors import KeyPath, OptionError
from realsr_mtl.evaluation import cut_patches
from realsr_mtl.metrics import METRICS, Metric
from realsr_mtl.seal.lines import TAU
from realsr_mtl.seal.pool import Family
from realsr_mtl.tasks import CaseTasks, check_file_apart, read_cases
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.probing import probe_images
from realsr_mtl.training.stage_folder import StageFolder

REFERENCE_SIZE = 504
"""Side of the crop of a reference image: that of the paper's."""

_LINED = ("PSNR", "SSIM", "LPIPS")
"""Metrics whose least gap is known, by the type that ``val:metrics`` names."""


class Benchmark:
    """Images, degradations and metrics of a SEAL evaluation, checked.

    ``datasets: train`` are the images that lines are trained on, ``probe`` the reference images of
    the clustering and the one ``val`` set the images of the report; none is in two of them.

    Args:
        plan: the checked options.
        overwrite: discard results of other options instead of refusing to go on.

    Raises:
        UserError: options that do not fit.
    """

    def __init__(self, plan: TrainingPlan, overwrite: bool = False) -> None:
        self.plan, self.overwrite = plan, overwrite
        options = plan.options
        if options.seal is None:
            self._fail("there is no 'seal' block, which says what to evaluate on", ())
        assert options.seal is not None
        self.options: SealOptions = options.seal
        if options.degradation is None and not self.options.families:
            self._fail("cases are drawn from a degradation; add a 'degradation' block", ())
        if options.strategy is not None:
            self._fail("lines are trained on the mean loss; leave the strategy out", ("strategy",))
        if options.gt_usm:
            self._fail("lines are trained on HR images that are not sharpened", ("gt_usm",))
        if plan.train.scheduler is not None:
            self._fail(
                "the learning rate of lines falls as a cosine to seal:eta_min over warm_iter and "
                "over total_iter steps; leave the scheduler out",
                ("train", "scheduler"),
            )
        phases = plan.validation_phases()
        if len(phases) != 1:
            self._fail(f"reports are on one data set 'val', found {len(phases)}", ("datasets",))
        self.phase = phases[0]
        self._check_metrics()
        root = Path(self.options.folder or Path(options.path.experiments_root, options.name))
        self.root = root
        self.folder = StageFolder(
            root, overwrite, {"cases": ("cases.jsonl", "cases.json")}, "seal:folder"
        )
        self.case_file = root / "cases.jsonl"

    @property
    def families(self) -> dict[str, Family]:
        """The degradation spaces of the file."""
        resolved = self.plan.resolved()
        if not self.options.families:
            space = resolved["degradation"]
            return {space["type"]: Family(space["type"], space, 1.0)}
        found = {}
        for name, block in resolved["seal"]["families"].items():
            space = {key: value for key, value in block.items() if key != "share"}
            found[name] = Family(name, space, block["share"])
        return found

    @property
    def tau(self) -> dict[str, float]:
        """Least gap of every metric that lines can be made for."""
        val = self.plan.options.val
        assert val is not None
        found = {}
        for name, block in val.metrics.items():
            kind = next((k for k in _LINED if METRICS.get(block.type) is METRICS.get(k)), None)
            value = self.options.tau.get(name, TAU.get(kind.lower() if kind else ""))
            if value is not None:
                found[name] = value
        return found

    def metrics(self) -> dict[str, Metric]:
        """The metrics of the report."""
        return self.plan.metrics()

    def metric_definitions(self, metrics: Mapping[str, Metric]) -> dict[str, Any]:
        """The options of each metric; they belong to its numbers."""
        blocks = self.plan.resolved()["val"]["metrics"]
        return {name: blocks[name] for name in metrics}

    def references(self) -> dict[str, Tensor]:
        """Crops of the reference images by name, ``[3, H, W]`` in [0, 1].

        Raises:
            UserError: there are none, or they are trained or reported on.
        """
        dataset = self.plan.options.datasets.get("probe")
        images = probe_images(self.plan)
        assert dataset is not None
        count = self.options.references
        if len(images) < count:
            self._fail(
                f"there are {len(images)} images, seal:references asks for {count}",
                ("datasets", "probe"),
            )
        patches = cut_patches(
            images,
            self.plan.options.scale,
            count=count,
            size=dataset.gt_size or REFERENCE_SIZE,
            seed=dataset.seed,
            sharpen=False,
            max_failed=0,
        )
        names = [name.partition("\x1f")[0] for name in patches.names]
        return dict(zip(names, patches.targets, strict=True))

    def report_images(self) -> ImageDataset:
        """The images of the report.

        Raises:
            UserError: they are trained on, or no HR images.
        """
        images = self.plan.images(self.phase)
        if not images.has_gt or images.has_lq:
            self._fail("cases degrade HR images; these are others", ("datasets", self.phase))
        shared = images.gt_sources() & self.plan.images("train").gt_sources()
        if shared:
            self._fail(
                f"{len(shared)} images of the report are also trained on, e.g. '{min(shared)}'",
                ("datasets", self.phase),
            )
        return images

    def cases(self) -> CaseTasks:
        """The cases that ``scripts/seal.py cases`` chose.

        Raises:
            UserError: there are none, or they are for another scale.
        """
        cases = read_cases(self.case_file)
        assert cases.sampler is not None
        if cases.sampler.scale != self.plan.options.scale:
            self._fail(f"'{self.case_file}' is for scale {cases.sampler.scale}", ("scale",))
        return cases

    def check_apart(self, cases: CaseTasks, files: list[Path]) -> None:
        """Refuse cases that share records or their pool with points or cases of other files."""
        for file in files:
            check_file_apart(cases, file)

    def _check_metrics(self) -> None:
        val = self.plan.options.val
        if val is None or not val.metrics:
            self._fail("a report needs metrics, e.g. psnr: {type: PSNR}", ("val",))
        assert val is not None
        unknown = sorted(set(self.options.tau) - set(val.metrics))
        if unknown:
            self._fail(f"there is no metric '{unknown[0]}'", ("seal", "tau"))
        for name, value in self.options.tau.items():
            if value <= 0:
                self._fail(f"a least gap is positive, found {value}", ("seal", "tau", name))
        if not self.tau:
            self._fail(
                "no metric has a least gap: PSNR, SSIM and LPIPS have one, for others write "
                "seal:tau",
                ("val", "metrics"),
            )

    def _fail(self, sentence: str, path: KeyPath) -> None:
        with self.plan.loaded.located():
            raise OptionError(sentence, path)
