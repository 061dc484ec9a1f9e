"""Choosing the representative cases of a benchmark."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from realsr_mtl.seal.clustering import Clusters, agreement, cluster, purity
from realsr_mtl.seal.histograms import Histograms
from realsr_mtl.seal.pool import Family, Pool, degraded_histograms, draw_pool
from realsr_mtl.seal.tags import tags
from realsr_mtl.tasks import Case, CaseTasks, cases_text, read_cases
from realsr_mtl.training.seal.benchmark import Benchmark


def choose_cases(
    benchmark: Benchmark, families: Sequence[Family], apart: Sequence[Path] = ()
) -> CaseTasks:
    """Draw a pool, cluster its histograms and write the medoids to ``cases.jsonl``.

    What is there already and was made with the same options is kept. ``cases.json`` says what the
    pool and the clusters are like.

    Args:
        benchmark: the checked options.
        families: degradation spaces and their shares.
        apart: files of points or cases that must not share a record with these.

    Raises:
        UserError: cases of other options in the folder, or cases that are in ``apart``.
    """
    own, folder = benchmark.options, benchmark.folder
    references = benchmark.references()
    settings = {
        "scale": benchmark.plan.options.scale,
        "pool": own.pool,
        "cases": own.cases,
        "seed": own.seed,
        "families": {f.name: {"share": f.share, "space": f.space} for f in families},
        "clustering": own.clustering,
        "neighbours": own.neighbours if own.clustering == "spectral" else None,
        "references": {name: _checksum(image) for name, image in references.items()},
    }
    folder.claim("cases", settings)
    if not benchmark.case_file.exists() or folder.read("cases.json") is None:
        pool = draw_pool(families, own.pool, benchmark.plan.options.scale, own.seed)
        histograms = degraded_histograms(pool, list(references.values()))
        found = cluster(histograms, own.cases, own.seed, own.clustering, own.neighbours)
        cases = _cases(pool, found)
        records = [pool.json(place) for place in found.representatives.tolist()]
        report = {**_description(pool, found, families), **settings}
        if len(references) > 1:
            report["adjusted_rand"] = _stability(benchmark, histograms, len(references))
        benchmark.check_apart(CaseTasks(cases, records), list(apart))
        folder.write_text("cases.jsonl", cases_text(cases, records))
        folder.write("cases.json", {"sha256": read_cases(benchmark.case_file).digest, **report})
    cases_there = benchmark.cases()
    benchmark.check_apart(cases_there, list(apart))
    return cases_there


def _cases(pool: Pool, clusters: Clusters) -> list[Case]:
    """Named by their number in the pool, so that a case is called the same in other clusterings."""
    return [
        Case(
            name=f"s{place:05d}",
            family=pool.families[place],
            weight=int(size) / len(pool),
            space=pool.spaces[pool.families[place]],
            tags=tags(pool.json(place)),
            size=int(size),
            seed=pool.seed,
        )
        for place, size in zip(clusters.representatives.tolist(), clusters.sizes, strict=True)
    ]


def _description(pool: Pool, clusters: Clusters, families: Sequence[Family]) -> dict[str, Any]:
    sizes = clusters.sizes
    drawn = Counter(pool.families)
    chosen = Counter(pool.families[place] for place in clusters.representatives.tolist())
    found: dict[str, Any] = {
        "sizes": {
            "smallest": int(sizes.min()),
            "median": float(np.median(sizes)),
            "largest": int(sizes.max()),
        },
        "singletons": clusters.singletons,
        "of_families": {
            family.name: {"pool": drawn[family.name], "cases": chosen[family.name]}
            for family in families
        },
    }
    if len(families) > 1:
        found["purity_of_families"] = purity(clusters.labels, pool.families)
    return found


def _stability(benchmark: Benchmark, histograms: Histograms, count: int) -> float:
    """Agreement of the clusterings on the first and on the second reference image alone."""
    own, width = benchmark.options, histograms.shape[1] // count
    labels = []
    for number in range(2):
        part = histograms[:, number * width : (number + 1) * width]
        part = part / part.sum(1, keepdims=True)
        labels.append(cluster(part, own.cases, own.seed, own.clustering, own.neighbours).labels)
    return agreement(*labels)


def _checksum(image: Tensor) -> str:
    pixels = (image * 255).round().byte().contiguous().numpy()
    return hashlib.sha256(json.dumps(pixels.shape).encode() + pixels.tobytes()).hexdigest()
