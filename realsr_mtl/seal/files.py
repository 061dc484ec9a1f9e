"""The files of a report: JSON to compare, CSV for tables, Markdown and figures to read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from realsr_mtl.errors import UserError
from realsr_mtl.reporting.case_lines import draw_case_lines
from realsr_mtl.seal.markdown import report_markdown
from realsr_mtl.seal.report import Report
from realsr_mtl.writing import write_atomically

_UNITS = {"psnr": "PSNR in dB"}


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write ``<network>.json``, ``.csv``, ``.md`` and ``<network>_<metric>.png``.

    Returns:
        The files.

    Raises:
        UserError: the name of the network cannot name a file.
    """
    name = report["network"]
    if not name or set(name) & set('/\\:*?"<>|'):
        raise UserError(f"'{name}' cannot name a file; choose another --name")
    texts = {
        ".json": json.dumps(report, indent=1, allow_nan=False) + "\n",
        ".csv": _csv(report),
        ".md": report_markdown(report),
    }
    files = [folder / f"{name}{ending}" for ending in texts]
    for file, text in zip(files, texts.values(), strict=True):
        write_atomically(text.encode(), file)
    rows = report["rows"]
    for metric in report["tau"]:
        low, high = ([row[f"{metric}_{e}"] for row in rows] for e in ("acceptance", "excellence"))
        file = folder / f"{name}_{metric}.png"
        scores = {name: [row[metric] for row in rows]}
        better = report["metrics"][metric]["better"]
        axis = _UNITS.get(metric, metric)
        files.append(draw_case_lines(scores, low, high, file, axis=axis, better=better))
    return files


def read_report(file: str | Path) -> Report:
    """A report that `write_report` wrote.

    Raises:
        UserError: no such file, or something else in it.
    """
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"report '{file}' does not exist (seen from {Path.cwd()}); make it with "
            "python scripts/seal.py eval"
        ) from None
    except ValueError as error:
        raise UserError(f"report '{file}' is no JSON: {error}") from None
    wanted = {"network", "about", "lines", "tau", "metrics", "rows"}
    if not isinstance(found, dict) or not wanted <= found.keys():
        raise UserError(f"'{file}' is no report of scripts/seal.py eval")
    return found


def _csv(report: Report) -> str:
    """A row for each case; tags in columns of their own."""
    rows = []
    for row in report["rows"]:
        tags = row.get("tags", {})
        rows.append({**{k: v for k, v in row.items() if k != "tags"}, **tags})
    columns = dict.fromkeys(key for row in rows for key in row)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
