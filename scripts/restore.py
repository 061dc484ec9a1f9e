"""Restore images with a trained network, without an option file.

    python scripts/restore.py photo.png experiments/my_run
    python scripts/restore.py folder experiments/my_run/models/net_g_5000.pth --outscale 2
    python scripts/restore.py scan.tif RealESRGAN_x4plus.pth --tile-size 256 --precision fp16

Grey, alpha and 16 bits are kept; every image becomes a PNG file in the output folder, under its own
name. The checkpoint is a run folder, a weight file of a run, or a weight file of an architecture
that spandrel recognises. An unreadable image is named and left out; the status is then 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and restore."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="a file, or a folder with its sub-folders")
    parser.add_argument("checkpoint", type=Path, help="a run folder or a weight file")
    parser.add_argument("-o", "--output", type=Path, default=Path("restored"), help="folder")
    parser.add_argument("--task", help="the head to use, of a network with heads")
    parser.add_argument("--outscale", type=float, help="default: the network's scale")
    parser.add_argument("--tile-size", type=int, help="run in tiles of so many input pixels")
    parser.add_argument("--precision", default="float32", help="float32 (default), bf16 or fp16")
    parser.add_argument("--self-ensemble", action="store_true", help="mean of eight runs")
    parser.add_argument("--alpha", default="network", help="network (default) or bicubic")
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU if there is one")
    arguments = parser.parse_args(argv)
    return run_command(lambda: restore_all(arguments))


def restore_all(arguments: argparse.Namespace) -> int:
    """Restore every image and write it at once."""
    from tqdm import tqdm

    from realsr_mtl.data import ImageError, LQFolder
    from realsr_mtl.errors import UserError
    from realsr_mtl.evaluation import Tile
    from realsr_mtl.evaluation.images import write_image
    from realsr_mtl.restoration import Restorer

    given = arguments.images.parent if arguments.images.is_file() else arguments.images
    if arguments.output.resolve() == given.resolve():
        raise UserError(f"the results would overwrite images in '{given}'; give another --output")
    restorer = Restorer(
        arguments.checkpoint,
        task=arguments.task,
        device=arguments.device,
        tile=Tile(arguments.tile_size) if arguments.tile_size is not None else None,
        precision=arguments.precision,
        self_ensemble=arguments.self_ensemble,
        outscale=arguments.outscale,
        alpha=arguments.alpha,
    )
    images = LQFolder(restorer.scale, dataroot_lq=str(arguments.images))
    failed = 0
    for position, name in enumerate(tqdm(images.names, unit="image", disable=None)):
        try:
            image = images.load(position).lq
        except ImageError as error:
            tqdm.write(f"left out: {error}", file=sys.stderr)
            failed += 1
            continue
        assert image is not None
        write_image(arguments.output / f"{name}.png", restorer(image))
    print(f"restored {len(images) - failed} images into {arguments.output}")
    if failed:
        raise UserError(f"{failed} of {len(images)} images could not be read")
    return 0


if __name__ == "__main__":
    sys.exit(main())
