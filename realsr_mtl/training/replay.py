"""A sample that gave NaN or infinity, once more: from its image to the layer where it began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realsr_mtl.batch import TaskBatch
from realsr_mtl.config import load_options
from realsr_mtl.degradations import DegradationParameters
from realsr_mtl.errors import UserError
from realsr_mtl.processes import Processes
from realsr_mtl.training.learner import Learner
from realsr_mtl.training.plan import TrainingPlan
from realsr_mtl.training.skipped import read_replay


class Replay:
    """The samples of one skipped step.

    Args:
        file: ``<run folder>/nonfinite/<iteration>.pth``; the options are read from config.yml of
            the run folder.

    Raises:
        UserError: another file, a run folder without options, or data that is gone.
    """

    def __init__(self, file: Path) -> None:
        self._content = read_replay(file)
        options = file.resolve().parent.parent / "config.yml"
        if not options.is_file():
            raise UserError(f"'{options}' is missing; '{file}' belongs into the folder of its run")
        plan = TrainingPlan(load_options(options, ["num_gpu=0"]))
        self._images = plan.images("train")
        processes, all_tasks = Processes(), plan.tasks(plan.sampler())
        tasks = plan.tasks_of(self._images, all_tasks, processes)
        setting = plan.setting(tasks, processes)
        strategy = plan.strategy(setting)
        self._learner = Learner(plan, strategy, processes)
        self._learner.network.load_state_dict(self._content["net_g"]["params"])
        if self._learner.adversary and self._content.get("net_d"):
            self._learner.adversary.network.load_state_dict(self._content["net_d"]["params"])
        targets = plan.targets(self._learner.network)
        self._maker = plan.batch_maker(tasks, strategy.sampling, targets, processes)
        self._loader = plan.loader(self._images, setting.streams, processes, 0)

    def __iter__(self) -> Iterator[dict[str, str]]:
        """What is found about every sample, by headings; ``repeats`` is yes or no."""
        samples = {sample["index"]: sample for sample in self._content["samples"]}
        for sample in samples.values():
            yield self._look(sample)

    def _look(self, sample: Mapping[str, Any]) -> dict[str, str]:
        batch = _batch(sample)
        network = self._learner.network
        broken = [n for n, w in network.state_dict().items() if not bool(w.isfinite().all())]
        with _watched(network) as first:
            losses = self._learner.losses(batch, self._content["iter"] - 1)
        values = dict(zip(self._learner.terms.names, losses.values[:, 0].tolist(), strict=True))
        parameters = {n: p for n, p in network.named_parameters() if p.requires_grad}
        gradients: list[str] = []
        if losses.total.requires_grad:
            made = torch.autograd.grad(
                losses.total.sum(), list(parameters.values()), allow_unused=True
            )
            pairs = zip(parameters, made, strict=True)
            gradients = [n for n, g in pairs if g is not None and not bool(g.isfinite().all())]
        repeats = gradients or not bool(losses.values.isfinite().all())
        return {
            "sample": f"{sample['index']} of iteration {self._content['iter']}, image "
            f"'{sample['image']}', task {sample['task']}",
            "then": f"{sample['loss']} was {sample['value']}",
            "record": json.dumps(sample["record"]),
            "made again": self._made_again(batch),
            "weights": f"not finite: {_few(broken)}" if broken else "finite",
            "first output": first[0] if first else "all outputs are finite",
            "losses": ", ".join(f"l_{name} {value:g}" for name, value in values.items()),
            "gradients": f"not finite: {_few(gradients)}" if gradients else "finite",
            "repeats": "yes" if repeats else "no",
        }

    def _made_again(self, batch: TaskBatch) -> str:
        """Whether image, stream and record still give the LQ patch that was kept."""
        again = self._maker.lq_again(self._loader.sample(int(batch.index)), batch.parameters)
        if again.shape != batch.lq.shape:
            return "another size: the data or the options have changed"
        largest = float((again - batch.lq).abs().max())
        if largest == 0:
            return "the same LQ patch to the last bit"
        return f"another LQ patch, by up to {largest:.3g}: other data, or made on another device"


def _batch(sample: Mapping[str, Any]) -> TaskBatch:
    def pixels(name: str) -> Tensor | None:
        return sample[name][None] if name in sample else None

    record = sample["record"]
    return TaskBatch(
        sample["lq"][None],
        sample["gt"][None],
        torch.tensor([sample["task_id"]]),
        torch.tensor([sample["index"]]),
        None if record is None else DegradationParameters.from_json([record]),
        pixels("key"),
        pixels("plain"),
        [sample["image"]],
    )


@contextmanager
def _watched(network: nn.Module) -> Iterator[list[str]]:
    """Collects the innermost modules whose output is not finite, in the order of the pass."""
    found: list[str] = []

    def watch(name: str) -> Any:
        def look(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and not bool(output.isfinite().all()):
                count = int((~output.isfinite()).sum())
                kind = type(module).__name__
                found.append(f"{name or 'network'} ({kind}): {count} of {output.numel()} values")

        return look

    hooks = [module.register_forward_hook(watch(name)) for name, module in network.named_modules()]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
