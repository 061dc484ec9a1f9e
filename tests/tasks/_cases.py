"""Cases of two spaces, and their file."""

from __future__ import annotations

from pathlib import Path

from realsr_mtl.degradations import SAMPLERS
from realsr_mtl.tasks import Case, CaseTasks, PointTasks, cases_text, draw_points

FILE = Path("cases.jsonl")


def drawn(kind: str = "RealESRGAN", count: int = 3, seed: int = 0) -> PointTasks:
    return draw_points(SAMPLERS.build({"type": kind}, 4), count, seed)


def cases(seed: int | None = 5) -> CaseTasks:
    """Three of one space and two of another."""
    made, records = [], []
    for kind, count in (("RealESRGAN", 3), ("BSRGAN", 2)):
        for number, record in enumerate(drawn(kind, count).records.to_json()):
            space = {"type": kind}
            made.append(Case(f"{kind}{number}", kind, 0.2, space, {"noise": "low"}, 7, seed))
            records.append(record)
    FILE.write_text(cases_text(made, records))
    return CaseTasks(made, records)
