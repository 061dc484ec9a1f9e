"""Write the LQ images of every task of a folder of HR images: paired sets for any framework.

    python scripts/make_task_sets.py -opt options/train/tgsr/bsds.yml --hr DIV2K_valid_HR
    python scripts/make_task_sets.py -opt FILE --hr FOLDER --output datasets/DIV2K5G --seed 1

With the groups of scripts/task_grouping.py (tasks: {type: Groups, file: .../groups.json}) this
makes TGSR's five sets, G0 to G4: each image is degraded by one point of each group, drawn from
seed, image name and group; G0 are points in no group. Any other task set works, too. The folder
receives

    <task>/<image>.png   LQ images of each task, named like their HR images
    HR/<image>.png       only where an HR image is no multiple of the scale: all of them, cut to fit
    images.csv           image, task, point
    records.jsonl        the degradation record of every LQ image; with the HR image it gives the
                         same LQ image on any machine
    SHA256SUMS           checksums of all images; check them with  sha256sum -c SHA256SUMS

These are the images on which train.py and test.py score a data set with the same seed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-opt", "--opt", required=True, type=Path, help="the option file")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    parser.add_argument("--hr", required=True, type=Path, help="folder of HR images")
    parser.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    parser.add_argument("--tasks", nargs="+", help="these tasks only (default: all)")
    parser.add_argument("--output", type=Path, help="default: datasets/<name>_<folder of --hr>")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing folder")
    arguments = parser.parse_args(argv)
    return run_command(lambda: make(arguments))


def make(arguments: argparse.Namespace) -> int:
    """Write the sets into a folder that takes its name when it is complete."""
    from realsr_mtl.config import load_options
    from realsr_mtl.data import DATASETS
    from realsr_mtl.errors import UserError
    from realsr_mtl.evaluation import EvaluationSet
    from realsr_mtl.experiment import Experiment

    experiment = Experiment(load_options(arguments.opt, arguments.force_yml))
    options = experiment.options
    sampler = experiment.sampler()
    if sampler is None:
        raise UserError(f"{arguments.opt} has no 'degradation' block to make LQ images with")
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be in [0, 2^32), found {arguments.seed}")
    tasks = experiment.tasks(sampler)
    block = {"type": "ImageFolder", "dataroot_gt": str(arguments.hr)}
    images = DATASETS.build(block, options.scale)
    try:
        frozen = EvaluationSet(
            "images", images, options.scale, tasks, chosen=arguments.tasks or "all",
            seed=arguments.seed,
        )  # fmt: skip
    except ValueError as error:
        raise UserError(str(error)) from None
    output = arguments.output or Path("datasets", f"{options.name}_{arguments.hr.resolve().name}")
    if arguments.hr.resolve().is_relative_to(output.resolve()):
        raise UserError(f"--hr '{arguments.hr}' lies in '{output}', which is to be written")
    if output.exists() and not arguments.overwrite:
        raise UserError(f"'{output}' exists; choose another --output, or --overwrite it")
    temporary = output.with_name(f".{output.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        cut = _write(frozen, images, tasks, temporary)
    except BaseException:
        shutil.rmtree(temporary)
        raise
    shutil.rmtree(output, ignore_errors=True)
    temporary.replace(output)
    hr = output / "HR" if cut else arguments.hr
    print(
        f"wrote {len(frozen)} LQ images of {len(frozen.tasks)} tasks to {output}; HR images: {hr}"
    )
    if cut:
        print(f"{cut} HR images were cut to multiples of {options.scale}")
    return 0


def _write(frozen: Any, images: Any, tasks: Any, folder: Path) -> int:
    """Write everything; returns how many HR images had to be cut."""
    from tqdm import tqdm

    from realsr_mtl.data import ImageError
    from realsr_mtl.errors import UserError
    from realsr_mtl.evaluation.images import write_image
    from realsr_mtl.metrics.base import to_uint8
    from realsr_mtl.tasks import GroupTasks

    rows, cut = [], 0
    with (folder / "records.jsonl").open("w", encoding="utf-8") as records:
        for entry in tqdm(range(len(frozen)), unit="image"):
            try:
                item = frozen.load(entry)
            except ImageError as error:
                raise UserError(f"{error}; remove the file, or mend it") from None
            write_image(folder / item.task / f"{item.name}.png", to_uint8(item.lq[0]))
            (record,) = item.parameters.to_json()
            records.write(json.dumps({"image": item.name, "task": item.task, **record}) + "\n")
            grouped = isinstance(tasks, GroupTasks)
            rows.append((item.name, item.task, tasks.points.name_of(record) if grouped else ""))
            if item.task == frozen.tasks[0]:
                write_image(folder / "HR" / f"{item.name}.png", item.gt)
                cut += item.gt.shape[:2] != images.load(entry // len(frozen.tasks)).gt.shape[:2]
    if not cut:
        shutil.rmtree(folder / "HR")
    with (folder / "images.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "task", "point"))
        writer.writerows(rows)
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}"
        for path in sorted(folder.rglob("*.png"))
    ]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
    return cut


if __name__ == "__main__":
    sys.exit(main())
