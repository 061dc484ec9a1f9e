"""Reporting: logs, tables, figures. Knows plain tables and the files of a run folder only."""

from realsr_mtl.reporting.log import start_logging, training_line
from realsr_mtl.reporting.scores import ImageRow, write_scores
from realsr_mtl.reporting.tables import Row, format_table, metric_names, summarise, write_csv
from realsr_mtl.reporting.tracker import Tracker, read_lines

__all__ = [
    "ImageRow",
    "Row",
    "Tracker",
    "format_table",
    "metric_names",
    "read_lines",
    "start_logging",
    "summarise",
    "training_line",
    "write_csv",
    "write_scores",
]
