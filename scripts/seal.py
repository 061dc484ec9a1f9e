"""Evaluate networks on representative degradations, relative to trained lines (SEAL).

    python scripts/seal.py cases -opt options/seal/quickstart.yml       # which degradations
    python scripts/seal.py lines -opt options/seal/quickstart.yml       # what is acceptable there
    python scripts/seal.py eval -opt options/seal/quickstart.yml --network options/quickstart.yml
    python scripts/seal.py eval -opt options/seal/quickstart.yml --bicubic
    python scripts/seal.py compare experiments/seal_quickstart/reports/*.json

    python scripts/seal.py eval --table model.csv --lines line.csv      # published tables
    python scripts/seal.py cases --published centres.txt --output FOLDER

cases draws a pool from the degradation, clusters the histograms of a degraded reference image and
writes the medoids; lines trains two networks for each case; eval writes a report of a network and
compare decides between reports. Started again, cases and lines go on where they stopped; what other
options made is refused unless --overwrite discards it. See docs/seal.md.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from realsr_mtl.command import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run one of the four commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    cases = commands.add_parser("cases", help="choose representative cases")
    _add_options(cases)
    cases.add_argument(
        "--family", nargs="+", default=[], metavar="NAME=SHARE",
        help="degradations to draw from, instead of those of the file",
    )  # fmt: skip
    cases.add_argument(
        "--apart", nargs="+", default=[], type=Path, help="files of points that share nothing"
    )
    cases.add_argument("--published", type=Path, help="import SEAL's file of centres instead")
    cases.add_argument("--output", type=Path, help="folder for the imported cases")
    lines = commands.add_parser("lines", help="train the lines of every case")
    _add_options(lines)
    score = commands.add_parser("eval", help="report on a network, bicubic or a table of scores")
    _add_options(score)
    score.add_argument("--network", type=Path, help="option file of the network")
    score.add_argument("--weights", help="its weights (default: as test.py)")
    score.add_argument("--bicubic", action="store_true", help="bicubic up-scaling instead")
    score.add_argument("--table", type=Path, help="CSV file of scores by case instead")
    score.add_argument("--model", help="column prefix of one model of that table (default: all)")
    score.add_argument("--lines", type=Path, help="lines.json or CSV (default: those of -opt)")
    score.add_argument("--no_lines", action="store_true", help="scores alone, before any training")
    score.add_argument("--cases", type=Path, help="case file of a table: families, weights, tags")
    score.add_argument("--tau", nargs="+", default=[], metavar="METRIC=GAP", help="least gaps")
    score.add_argument("--name", help="of the network in reports")
    score.add_argument("--output", type=Path, help="folder (default: <seal:folder>/reports)")
    both = commands.add_parser("compare", help="decide between reports")
    both.add_argument("reports", nargs="+", type=Path, help="JSON files of eval")
    both.add_argument("--metric", default="psnr", help="column to compare (default: psnr)")
    both.add_argument("--output", type=Path, help="Markdown file to write, too")
    arguments = parser.parse_args(argv)
    run = {"cases": choose, "lines": train, "eval": evaluate, "compare": compare_reports}
    return run_command(lambda: run[arguments.command](arguments))


def choose(arguments: argparse.Namespace) -> int:
    """Choose or import cases."""
    from realsr_mtl.seal.pool import parse_families
    from realsr_mtl.training.seal import choose_cases

    if arguments.published:
        return _import_centres(arguments.published, arguments.output)
    benchmark = _benchmark(arguments)
    known = benchmark.families
    families = parse_families(arguments.family, known) or list(known.values())
    cases = choose_cases(benchmark, families, arguments.apart)
    report = benchmark.folder.read("cases.json")
    sizes = report["sizes"]
    print(
        f"{len(cases)} cases of {report['pool']} records; clusters of {sizes['smallest']} to "
        f"{sizes['largest']}, median {sizes['median']:g}, {report['singletons']:.1%} of them of one"
    )
    for name, own in report["of_families"].items():
        print(f"  {name}: {own['pool']} of the pool, {own['cases']} cases")
    if report["singletons"] >= _SINGLETONS:
        print("warning: more than 5 % of the clusters have one member; raise seal:pool")
    print(f"wrote {benchmark.case_file}")
    return 0


_SINGLETONS = 0.05


def _import_centres(file: Path, output: Path | None) -> int:
    from realsr_mtl.errors import UserError
    from realsr_mtl.seal.published_centres import read_centres
    from realsr_mtl.tasks import cases_text
    from realsr_mtl.writing import write_atomically

    if output is None:
        raise UserError("--published needs --output, the folder for the imported cases")
    if (output / "cases.jsonl").exists():
        raise UserError(f"'{output / 'cases.jsonl'}' is there already; choose another --output")
    found = read_centres(file)
    write_atomically(cases_text(found.cases, found.records).encode(), output / "cases.jsonl")
    families = list(found.families.values())
    counts = ", ".join(f"{families.count(name)} {name}" for name in dict.fromkeys(families))
    print(f"{len(found.cases)} of {len(families)} cases ({counts})")
    for name, reason in found.left_out.items():
        print(f"  case {name} cannot be expressed: {reason}")
    for note, count in found.notes.items():
        print(f"  in {count} cases {note}")
    print(f"wrote {output / 'cases.jsonl'}")
    return 0


def train(arguments: argparse.Namespace) -> int:
    """Train lines, and say whether they can be trusted."""
    from realsr_mtl.processes import start_processes, stop_processes
    from realsr_mtl.seal.line_summary import line_summary
    from realsr_mtl.seal.pool import Family
    from realsr_mtl.training.seal import LineTraining

    benchmark = _benchmark(arguments)
    cases = benchmark.cases()
    drawn = (benchmark.folder.read("cases.json") or {}).get("families", {})
    families = {n: Family(n, own["space"], own["share"]) for n, own in drawn.items()}
    processes = start_processes("none", benchmark.plan.options.num_gpu)
    try:
        training = LineTraining(benchmark, families or benchmark.families, cases, processes)
        lines = training.run()
    finally:
        stop_processes()
    values = training.folder.read("lines.json")["values"]
    metrics = training.scorer.metrics
    bicubic = {m: [values[name]["bicubic"][m] for name in lines.names] for m in metrics}
    better = {name: metric.better for name, metric in metrics.items()}
    print(line_summary(lines, bicubic, better, benchmark.tau))
    print(f"wrote {training.file}")
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Report on a network, on bicubic up-scaling or on a table."""
    from realsr_mtl.errors import UserError
    from realsr_mtl.seal.files import write_report
    from realsr_mtl.seal.markdown import report_markdown
    from realsr_mtl.seal.report import make_report

    sources = [arguments.network, arguments.bicubic, arguments.table]
    if sum(bool(source) for source in sources) != 1:
        raise UserError("give one of --network FILE, --bicubic and --table FILE.csv")
    if arguments.lines and arguments.no_lines:
        raise UserError("give --lines or --no_lines, not both")
    tau = _tau(arguments.tau)
    if arguments.table:
        reports, output = _table_reports(arguments, tau), arguments.output or Path("results/seal")
    else:
        if arguments.opt is None:
            raise UserError("-opt names the option file whose cases the network is scored on")
        scores, lines, benchmark = _scored(arguments)
        known = {**benchmark.tau, **tau}
        reports = [make_report(scores, lines, benchmark.cases().cases, known)]
        output = arguments.output or benchmark.root / "reports"
    for report in reports:
        files = write_report(report, output)
        print(report_markdown(report))
        print(f"wrote {', '.join(str(file) for file in files)}")
    return 0


def _table_reports(arguments: argparse.Namespace, tau: dict[str, float]) -> list[Any]:
    from realsr_mtl.seal.lines import read_lines_file
    from realsr_mtl.seal.table_reports import table_reports
    from realsr_mtl.tasks import read_cases

    lines = None
    if not arguments.no_lines:
        file = arguments.lines or (_benchmark(arguments).root / "lines/lines.json")
        lines = read_lines_file(file)
    cases = read_cases(arguments.cases).cases if arguments.cases else []
    return table_reports(arguments.table, lines, cases, tau, arguments.model, arguments.name)


def _scored(arguments: argparse.Namespace) -> tuple[Any, Any, Any]:
    from realsr_mtl.archs import load_weights
    from realsr_mtl.config import load_options
    from realsr_mtl.errors import UserError
    from realsr_mtl.experiment import Experiment
    from realsr_mtl.processes import start_processes, stop_processes
    from realsr_mtl.seal.lines import read_lines_file
    from realsr_mtl.testing import weight_file
    from realsr_mtl.training import TrainingPlan
    from realsr_mtl.training.seal import (
        CaseScorer,
        check_lines_apply,
        check_network_apart,
        score_network,
    )

    benchmark = _benchmark(arguments)
    file = arguments.lines or benchmark.root / "lines/lines.json"
    lines = None if arguments.no_lines else read_lines_file(file)
    processes = start_processes("none", benchmark.plan.options.num_gpu)
    try:
        scorer = CaseScorer(benchmark, benchmark.cases(), processes)
        network, name, weights = None, arguments.name or "bicubic", ""
        if arguments.network:
            loaded = load_options(arguments.network)
            experiment = (TrainingPlan if loaded.options.train else Experiment)(loaded)
            if experiment.options.scale != benchmark.plan.options.scale:
                raise UserError(
                    f"{arguments.network} is for scale {experiment.options.scale}, the cases for "
                    f"{benchmark.plan.options.scale}"
                )
            check_network_apart(scorer, experiment)
            path = experiment.options.path
            weights = str(arguments.weights or weight_file(experiment.options, []))
            network = experiment.network()
            print(load_weights(network, weights, path.param_key_g, path.strict_load_g))
            network.to(processes.device).eval().requires_grad_(False)
            name = arguments.name or experiment.options.name
        scores = score_network(scorer, network, name, weights)
    finally:
        stop_processes()
    if lines is not None:
        check_lines_apply(scores, lines)
    return scores, lines, benchmark


def compare_reports(arguments: argparse.Namespace) -> int:
    """Decide between reports."""
    from realsr_mtl.seal.comparison import compare
    from realsr_mtl.seal.files import read_report
    from realsr_mtl.seal.markdown import comparison_markdown
    from realsr_mtl.writing import write_atomically

    reports = [read_report(file) for file in arguments.reports]
    pairs = compare(reports, arguments.metric)
    text = comparison_markdown(reports, pairs, arguments.metric)
    print(text)
    if arguments.output:
        write_atomically(text.encode(), arguments.output)
    return 0


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-opt", "--opt", type=Path, help="the option file with a seal block")
    parser.add_argument("--force_yml", nargs="+", default=[], help="change options, as train.py")
    parser.add_argument(
        "--overwrite", action="store_true", help="discard results that other options made"
    )


def _benchmark(arguments: argparse.Namespace) -> Any:
    from realsr_mtl.config import load_options
    from realsr_mtl.errors import UserError
    from realsr_mtl.reporting import start_logging
    from realsr_mtl.training import TrainingPlan
    from realsr_mtl.training.seal import Benchmark

    if arguments.opt is None:
        raise UserError(f"seal.py {arguments.command} needs -opt, an option file with a seal block")
    start_logging(None, quiet=arguments.command == "eval")
    plan = TrainingPlan(load_options(arguments.opt, arguments.force_yml))
    for warning in plan.loaded.warnings:
        logging.getLogger("realsr_mtl").warning("%s", warning)
    return Benchmark(plan, arguments.overwrite)


def _tau(texts: Sequence[str]) -> dict[str, float]:
    from realsr_mtl.errors import UserError

    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = 0.0
        if not 0 < found[name] < float("inf"):
            raise UserError(f"--tau '{text}' is not of the form METRIC=GAP, e.g. psnr=0.1")
    return found


if __name__ == "__main__":
    sys.exit(main())
