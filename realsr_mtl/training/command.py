"""What train.py does: options, folders, log, trainer."""

from __future__ import annotations

import json
import logging
import platform
import sys
import time
from pathlib import Path

import torch
from torch import nn

from realsr_mtl import __version__
from realsr_mtl.archs import count_parameters, load_weights
from realsr_mtl.command import INTERRUPTED
from realsr_mtl.config import Arguments, load_options
from realsr_mtl.config.writer import format_yaml
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes, start_processes, stop_processes
from realsr_mtl.reporting import start_logging
from realsr_mtl.reporting.run_record import recorded
from realsr_mtl.tasks import Labels, TaskSet
from realsr_mtl.training.checkpoints import check_checkpoint, newest_checkpoint
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.probing import check_probes, probe_images
from realsr_mtl.training.run_folder import RunFolder
from realsr_mtl.training.task_gradients import check_samples_do_not_mix
from realsr_mtl.training.trainer import Trainer
from realsr_mtl.writing import write_atomically

_logger = logging.getLogger(__name__)


def train(arguments: Arguments) -> int:
    """Train as the command line says; return the exit status."""
    loaded = load_options(arguments.option_file, arguments.overrides, arguments.debug)
    plan = TrainingPlan(loaded)
    if arguments.check:
        return _check(plan)
    processes = start_processes(arguments.launcher, plan.options.num_gpu)
    try:
        folder = RunFolder.of(plan.options)
        resume, damaged = processes.broadcast(
            _resume_file(plan, folder, arguments.auto_resume) if processes.is_main else (None, [])
        )
        in_place = resume is not None and resume.resolve().parent == folder.states.resolve()
        if processes.is_main:
            _check_own_folder(plan, folder, resume, in_place)
            if folder.root.exists() and not in_place:
                _rehearse(plan, processes)
            folder.create(resume=in_place)
        processes.barrier()
        stamp = time.strftime("%Y%m%d_%H%M%S")
        log = folder.root / f"train_{plan.options.name}_{stamp}.log"
        start_logging(log, quiet=not processes.is_main)
        _describe(plan, processes, arguments, resume)
        for reason in damaged:
            _logger.warning("%s; going on from the checkpoint before it", reason)
        trainer = Trainer(plan, folder, processes, resume)
        if processes.is_main:
            if in_place:
                folder.set_aside_after(trainer.iteration)
            _write_options(plan, folder, trainer)
        started = time.perf_counter()
        total = plan.train.total_iter
        with recorded(folder.root, processes, total, lambda: trainer.iteration):
            finished = trainer.run()
        trainer.validation.report()
        if finished:
            _logger.info(
                "end of training after %.1f s; weights: %s",
                time.perf_counter() - started,
                folder.weights("latest"),
            )
        return 0 if finished else INTERRUPTED
    finally:
        stop_processes()


def _resume_file(
    plan: TrainingPlan, folder: RunFolder, automatic: bool
) -> tuple[Path | None, list[str]]:
    """The state to go on from, and why newer ones cannot be used."""
    if given := plan.options.path.resume_state:
        check_checkpoint(Path(given))
        return Path(given), []
    return newest_checkpoint(folder) if automatic else (None, [])


def _check_own_folder(
    plan: TrainingPlan, folder: RunFolder, resume: Path | None, in_place: bool
) -> None:
    """Refuse to start from a file in the very folder that is about to be archived."""
    root = folder.root.resolve()
    path = plan.options.path
    for given in (path.pretrain_network_g, path.pretrain_network_d, resume):
        if given and not in_place and root in Path(given).resolve().parents:
            raise UserError(
                f"'{given}' lies in the run folder '{folder.root}', which a new run of this name "
                "archives; give the new run another name"
            )


def _build(plan: TrainingPlan) -> tuple[nn.Module, TaskSet]:
    """Build every part that needs neither an image nor a weight file."""
    network = plan.network()
    plan.optimizer(network.parameters())
    plan.schedule()
    tasks = plan.training_tasks(plan.tasks(plan.sampler()), Processes())
    if tasks.sampler is not None:  # the tasks of pairs are known when their files are
        plan.loss_terms(tasks.names, network)
    if plan.options.network_d:
        plan.optimizer(plan.discriminator().parameters(), "optim_d")
    strategy = plan.strategy(plan.setting(tasks, Processes()))
    if strategy.needs_probes:
        check_probes(plan, tasks)
    if strategy.gradients is not None:
        check_samples_do_not_mix(network)
    return network, tasks


def _rehearse(plan: TrainingPlan, processes: Processes) -> None:
    """Open and build everything once, so that a mistake does not archive an earlier run."""
    start_logging(None, quiet=True)
    network, tasks = _build(plan)
    path = plan.options.path
    if path.pretrain_network_g:
        load_weights(network, path.pretrain_network_g, path.param_key_g, path.strict_load_g)
    if path.pretrain_network_d and plan.options.network_d:
        judge = plan.discriminator()
        load_weights(judge, path.pretrain_network_d, path.param_key_d, path.strict_load_d)
    images = plan.images("train")
    plan.check_source(images, tasks)
    if images.has_lq:
        plan.loss_terms(Labels.of(images).names, network)
    if plan.strategy(plan.setting(tasks, processes)).needs_probes:
        probe_images(plan)
    all_tasks = plan.tasks(plan.sampler())
    plan.evaluator(plan.validation_phases(), all_tasks, {}, processes, plan.targets(network))


def _describe(
    plan: TrainingPlan, processes: Processes, arguments: Arguments, resume: Path | None
) -> None:
    """The first lines of a log: versions, machine, warnings, options that are not defaults."""
    device = processes.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    _logger.info(
        "realsr_mtl %s, Python %s, torch %s; %d process(es) on %s (%s)",
        __version__,
        platform.python_version(),
        torch.__version__,
        processes.world_size,
        device.type,
        name,
    )
    _logger.info("command: %s", " ".join(sys.argv))
    for warning in plan.loaded.warnings:
        _logger.warning("%s", warning)
    if arguments.auto_resume and resume is None:
        _logger.info("no training state to resume from: starting at iteration 0")
    num_gpu = plan.options.num_gpu
    if isinstance(num_gpu, int) and num_gpu > 1 and num_gpu != processes.world_size:
        _logger.warning(
            "num_gpu is %d but %d process(es) run; the batch is that of %d; for more start "
            "'torchrun --nproc_per_node=%d ...'",
            num_gpu,
            processes.world_size,
            processes.world_size,
            num_gpu,
        )
    _logger.info("options that are not defaults:\n  %s", "\n  ".join(plan.differences()))


def _write_options(plan: TrainingPlan, folder: RunFolder, trainer: Trainer) -> None:
    header = f"# resolved from {plan.loaded.file}; every default is filled in\n"
    for name, text in (
        ("config.yml", header + format_yaml(plan.resolved())),
        ("config_diff.txt", "\n".join(plan.differences()) + "\n"),
        ("tasks.json", json.dumps(trainer.tasks.to_json(), indent=2) + "\n"),
    ):
        write_atomically(text.encode(), folder.root / name)


def _check(plan: TrainingPlan) -> int:
    """``--check``: build everything that needs no image and print what would run."""
    start_logging(None)
    for warning in plan.loaded.warnings:
        _logger.warning("%s", warning)
    network, tasks = _build(plan)
    metrics = plan.metrics()
    options, train = plan.options, plan.train
    lines = [
        f"{options.name}: x{options.scale}, {train.total_iter:,} iterations of batch "
        f"{plan.dataset.batch_size_per_gpu * train.accum_iter} per process, patches of "
        f"{plan.gt_size}, {train.precision}",
        f"network: {options.network_g.type}, {count_parameters(network):,} weights",
        f"losses: {', '.join(plan.loss_names)}",
        f"tasks: {len(tasks)} ({', '.join(tasks.names[:8])}{', ...' if len(tasks) > 8 else ''})",
        f"data: {', '.join(f'{k} ({d.type})' for k, d in options.datasets.items())} (not opened)",
        f"metrics: {', '.join(metrics) or 'none'}",
        f"run folder: {RunFolder.of(options).root}",
    ]
    sys.stdout.write("\n".join([*lines, "options are valid; nothing was trained\n"]))
    return 0
