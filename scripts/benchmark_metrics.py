"""Time PSNR and SSIM against basicsr's, interleaved in one process.

    python scripts/benchmark_metrics.py [--repeat 15] [--threads 1] [--json FILE]

Prints medians, the ratio and the largest difference of the values for each case.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from realsr_mtl.bridges import basicsr
from realsr_mtl.bridges.opencv import cv2
from realsr_mtl.metrics import PSNR, SSIM
from realsr_mtl.metrics.base import Image

SIZES = {"481x321": (321, 481), "1924x1284": (1284, 1924)}


def images(size: tuple[int, int]) -> tuple[Image, Image]:
    """A smooth random image and a noisy copy of it."""
    rng = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (*size, 3), dtype=np.uint8), (0, 0), 3)
    clean = cv2.normalize(smooth, np.empty_like(smooth), 0, 255, cv2.NORM_MINMAX)
    noisy = clean + rng.normal(0, 10, clean.shape)
    return np.asarray(clean), noisy.round().clip(0, 255).astype(np.uint8)


def seconds(function: Callable[[], float]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(repeat: int) -> list[dict[str, Any]]:
    """All cases; ours and theirs take turns, so that a drift of the machine hits both."""
    theirs = basicsr.load("metrics.psnr_ssim")
    rows = []
    for size_name, size in SIZES.items():
        clean, noisy = images(size)
        bgr = [np.ascontiguousarray(image[..., ::-1]) for image in (noisy, clean)]
        for metric_name, ours_type, reference in (
            ("psnr", PSNR, theirs.calculate_psnr),
            ("ssim", SSIM, theirs.calculate_ssim),
        ):
            for y in (False, True):
                metric = ours_type(crop_border=4, test_y_channel=y)

                def ours(metric: Any = metric, pair: Any = (noisy, clean)) -> float:
                    return float(metric(*pair))

                def other(function: Any = reference, pair: Any = tuple(bgr), y: bool = y) -> float:
                    return float(function(*pair, crop_border=4, test_y_channel=y))

                difference = abs(ours() - other())
                times = [(seconds(ours), seconds(other)) for _ in range(repeat)]
                mine, reference_time = (statistics.median(t) for t in zip(*times, strict=True))
                rows.append(
                    {
                        "case": f"{metric_name} {'Y' if y else 'RGB'} {size_name}",
                        "ours_ms": 1e3 * mine,
                        "reference_ms": 1e3 * reference_time,
                        "ratio": reference_time / mine,
                        "difference": difference,
                    }
                )
    return rows


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=15, help="timed calls of each (default: 15)")
    parser.add_argument("--threads", type=int, default=1, help="threads (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(arguments.threads)
    rows = measure(arguments.repeat)
    print(f"{'case':24}{'ours ms':>10}{'basicsr ms':>12}{'ratio':>8}{'difference':>14}")
    for row in rows:
        print(
            f"{row['case']:24}{row['ours_ms']:10.2f}{row['reference_ms']:12.2f}"
            f"{row['ratio']:8.1f}{row['difference']:14.1e}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
