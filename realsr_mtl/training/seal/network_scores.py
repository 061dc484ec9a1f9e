"""The scores of one network on all cases, and the lines that apply to them."""

from __future__ import annotations

import hashlib
import logging

import numpy as np
from torch import nn
from tqdm import tqdm

from realsr_mtl.errors import UserError
from realsr_mtl.seal.lines import Lines
from realsr_mtl.seal.report import CaseScores
from realsr_mtl.training.seal.scorer import CaseScorer

_logger = logging.getLogger(__name__)


def score_network(
    scorer: CaseScorer, network: nn.Module | None, name: str, weights: str = ""
) -> CaseScores:
    """Score a network, or bicubic up-scaling, on every case.

    Args:
        scorer: of the cases.
        network: on the device of the scorer's process; None for bicubic up-scaling.
        name: in reports.
        weights: where its weights come from, for the report.
    """
    names = scorer.cases.names
    rows, inputs = [], {}
    for case in tqdm(names, name, unit="case", leave=False, disable=None):
        rows.append(scorer.score(network, case))
        inputs[case] = scorer.inputs(case)
        scorer.forget(case)
    values = {metric: np.array([row[metric] for row in rows]) for metric in scorer.metrics}
    for metric, column in values.items():
        if not np.isfinite(column).all():
            case = names[int(np.flatnonzero(~np.isfinite(column))[0])]
            raise UserError(f"'{name}' has no finite {metric} on case '{case}'")
    better = {metric: own.better for metric, own in scorer.metrics.items()}
    lines = "\n".join(f"{case} {own}" for case, own in sorted(inputs.items()))
    about = {
        **scorer.about(),
        "inputs": hashlib.sha256(lines.encode()).hexdigest(),
        "inputs_of_cases": inputs,
        "weights": weights,
    }
    return CaseScores(name, names, values, better, about)


def check_lines_apply(scores: CaseScores, lines: Lines) -> None:
    """Refuse lines of other cases, images or metrics; warn of LQ images that differ in last bits.

    Args:
        scores: of a network.
        lines: trained or imported.

    Raises:
        UserError: says what differs.
    """
    about = lines.about
    if "cases" not in about:
        return  # imported: only their names are known
    for key, words in (("cases", "cases"), ("images", "images or seeds")):
        if about[key] != scores.about.get(key):
            raise UserError(
                f"the lines were trained for other {words} (checksum {about[key][:12]}, now "
                f"{str(scores.about.get(key))[:12]}); train them again, python scripts/seal.py "
                "lines, or choose the seal:folder that belongs to them"
            )
    for name, definition in about["metrics"].items():
        own = scores.about["metrics"].get(name)
        if own is not None and own != definition:
            raise UserError(
                f"the lines were scored with another definition of '{name}' ({definition}, now "
                f"{own}); a line and a score must be the same metric"
            )
    other = [c for c, own in scores.about["inputs_of_cases"].items() if lines.inputs.get(c) != own]
    if other:
        _logger.warning(
            "the LQ images of %d cases differ from those of the lines, e.g. '%s'; another kind of "
            "machine gives other last bits, another version of this package other images",
            len(other),
            other[0],
        )
