"""One trunk for all tasks and a head for each of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from realsr_mtl.archs.bounds import Depth, Factor, Width
from realsr_mtl.archs.layers import conv3x3
from realsr_mtl.archs.limits import limits
from realsr_mtl.archs.registry import ARCHS
from realsr_mtl.errors import UserError

_SIDE = 64
"""Side of the image on which the features of a trunk are measured."""


class HeadOptions(BaseModel):
    """The options of one head.

    Attributes:
        scale: size of the output over that of the input.
        num_feat: its features; default: those of the trunk.
        num_block: residual blocks before the output.
        residual: add the head's output to the (bilinearly up-scaled) input.
        tasks: the tasks that it serves; default: the one of its own name.
    """

    model_config = ConfigDict(extra="forbid")
    scale: Factor = 1
    num_feat: Width | None = None
    num_block: Depth = 1
    residual: bool = True
    tasks: list[str] | None = None


class _Reached(Exception):  # noqa: N818 - no error
    """Carries the features out of a trunk whose remaining layers are not wanted."""

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.features = features


def _stop_before(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    raise _Reached(inputs[0])


def _stop_after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    raise _Reached(output)


class _Gate(torch.autograd.Function):
    """The identity, whose gradient is scaled by a factor for each sample's task."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, factors: Tensor, task: Tensor) -> Tensor:
        ctx.factors, ctx.task = factors, task  # read when the gradient passes
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        factors = ctx.factors[ctx.task].to(gradients[0].dtype)
        return gradients[0] * factors[:, None, None, None], None, None


@torch.compiler.disable  # type: ignore[untyped-decorator]  # it would keep the factors it saw first
def _gated(features: Tensor, factors: Tensor, task: Tensor) -> Tensor:
    gated: Tensor = _Gate.apply(features, factors, task)
    return gated


class _Block(nn.Module):
    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(num_feat, num_feat)
        self.conv2 = conv3x3(num_feat, num_feat)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


class _Head(nn.Module):
    def __init__(self, features: int, factor: int, options: HeadOptions) -> None:
        super().__init__()
        own = options.num_feat or features
        self.scale, self.residual = options.scale, options.residual
        self.body = nn.Sequential(
            conv3x3(features, own), *(_Block(own) for _ in range(options.num_block))
        )
        self.up = nn.Sequential(
            conv3x3(own, own * factor**2), nn.PixelShuffle(factor), nn.LeakyReLU(0.1)
        )
        self.last = conv3x3(own, 3)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        out: Tensor = self.last(self.up(self.body(features)))
        if not self.residual:
            return out
        if self.scale > 1:
            image = F.interpolate(image, scale_factor=self.scale, mode="bilinear")
        return out + image


Heads = Annotated[dict[str, HeadOptions], Field(min_length=1)]


@ARCHS.register()
class TaskHeads(nn.Module):
    """A shared trunk, any registered network, with one head for each task.

    Hard parameter sharing (Caruana, 1997). Every sample goes through the trunk and then through the
    head of its task: ``out = head_t(trunk(x)) + up(x)``. The trunk gives its features instead of an
    image: what runs after them is left out and its weights stay as they are. A head is a 3 x 3
    convolution to ``num_feat``, residual blocks, a pixel shuffle up to its scale and a 3 x 3
    convolution to RGB.

    Shape: ``[B, 3, h, w]`` and tasks ``[B]`` to ``[B_k, 3, scale_k h, scale_k w]`` for each head
    with samples. Heads without samples have a gradient of zero.

    Args:
        trunk: block of a registered network, ``{type: MSRResNet, num_block: 4}``.
        heads: options of each head by its name: scale (1), num_feat (that of the features),
            num_block (1), residual (true), tasks (that of its own name).
        features: name of the trunk's module whose output the heads share, e.g. body; default: what
            goes into the convolution that runs last.

    Attributes:
        limits: those of the trunk, and sides that the features can divide.
    """

    _head_of: Tensor

    def __init__(self, *, trunk: dict[str, Any], heads: Heads, features: str | None = None) -> None:
        super().__init__()
        self.trunk = ARCHS.build(trunk, path=("trunk",))
        self.limits = limits(self.trunk)
        count, ratio = self._find_features(features)
        self._ratio = ratio
        multiple = math.lcm(self.limits.multiple, round(max(1, 1 / ratio)))
        self.limits = dataclasses.replace(self.limits, multiple=multiple)
        made = {}
        for name, options in heads.items():
            factor = options.scale / ratio
            if factor < 1 or factor != int(factor):
                raise ValueError(
                    f"head '{name}' has scale {options.scale}, the features of the trunk have "
                    f"{ratio:g}; name features of the input's size with 'features'"
                )
            made[name] = _Head(count, int(factor), options)
        self.heads = nn.ModuleDict(made)
        self._served = {
            task: place
            for place, (name, options) in enumerate(heads.items())
            for task in (options.tasks or [name])
        }
        if len(self._served) < sum(len(o.tasks or [n]) for n, o in heads.items()):
            raise ValueError("a task has two heads")
        self.register_buffer("_head_of", torch.arange(len(heads)), persistent=False)
        if len(self._served) == len(heads):
            self.bind(list(self._served))

    def bind(self, tasks: Sequence[str]) -> None:
        """Say which tasks the numbers in a batch stand for.

        Raises:
            UserError: a task without a head.
        """
        places = [self._place(task) for task in tasks]
        self._head_of = torch.tensor(places, device=self._head_of.device)

    def only(self, task: str) -> nn.Module:
        """The network of one task, ``[B, 3, h, w]`` to ``[B, 3, H, W]``; it shares the weights.

        Raises:
            UserError: a task without a head.
        """
        return _OneTask(self, self._place(task))

    def scale_of(self, task: str) -> int:
        """Size of the output of a task over that of the input."""
        return int(self._head(self._place(task)).scale)

    @property
    def tasks(self) -> list[str]:
        """The tasks that have a head."""
        return list(self._served)

    def forward(
        self, x: Tensor, task: Tensor, factors: Tensor | None = None
    ) -> list[tuple[Tensor, Tensor]]:
        """Positions ``[B_k]`` of the samples of each head that has any, and their outputs.

        Args:
            x: ``[B, 3, h, w]``.
            task: int64 ``[B]``, as in `bind`.
            factors: ``[T]``, scale the gradient that goes back to the trunk, by the sample's task;
                read in the backward pass.
        """
        features = self.share(x)
        if factors is not None:
            features = _gated(features, factors, task)
        head = self._head_of[task]
        present = head.unique().tolist()
        results = []
        for place in present:
            chosen = (head == place).nonzero()[:, 0]
            results.append((chosen, self._head(place)(features[chosen], x[chosen])))
        absent = [
            weight.sum()
            for place in range(len(self.heads))
            if place not in present
            for weight in self._head(place).parameters()
        ]
        if absent:  # several processes must agree about the gradients there are
            where, output = results[0]
            results[0] = (where, output + 0 * torch.stack(absent).sum())
        return results

    def share(self, x: Tensor) -> Tensor:
        """The features that the heads share, ``[B, C, ratio h, ratio w]``."""
        try:
            self.trunk(x)
        except _Reached as reached:
            height, width = (round(side * self._ratio) for side in x.shape[-2:])
            return reached.features[..., :height, :width]  # the trunk may have padded its input
        raise AssertionError("a trunk never comes to its end")

    def _head(self, place: int) -> _Head:
        head = list(self.heads.values())[place]
        assert isinstance(head, _Head)
        return head

    def _place(self, task: str) -> int:
        if task not in self._served:
            raise UserError(f"task '{task}' has no head; there are heads for {_list(self.tasks)}")
        return self._served[task]

    def _find_features(self, name: str | None) -> tuple[int, float]:
        """Make the trunk stop at its features; their number, and their size over the input's."""
        if name is None:
            self._last_convolution().register_forward_pre_hook(_stop_before)
        else:
            modules = dict(self.trunk.named_modules())
            if name not in modules or not name:
                raise ValueError(
                    f"the trunk has no module '{name}'; there are {_list(list(_outer(self.trunk)))}"
                )
            modules[name].register_forward_hook(_stop_after)
        x = torch.zeros(1, 3, _SIDE, _SIDE)
        training = self.trunk.training
        try:
            self.trunk.eval()(self._padded(x))
        except _Reached as reached:
            found = reached.features
        else:
            raise ValueError(f"the module '{name}' of the trunk does not run")
        finally:
            self.trunk.train(training)
        if not isinstance(found, Tensor) or found.dim() != 4 or not found.requires_grad:
            raise ValueError(f"the module '{name}' of the trunk gives no maps of features")
        self._freeze_the_rest(found)
        return found.shape[1], found.shape[-1] / self._padded(x).shape[-1]

    def _padded(self, x: Tensor) -> Tensor:
        side = self.limits.fit(x.shape[-1])
        return F.pad(x, (0, side - x.shape[-1], 0, side - x.shape[-2]))

    def _last_convolution(self) -> nn.Module:
        ran: list[nn.Module] = []
        layers = [m for m in self.trunk.modules() if isinstance(m, nn.Conv2d)]
        hooks = [
            layer.register_forward_hook(lambda layer, *_: ran.append(layer)) for layer in layers
        ]
        training = self.trunk.training
        with torch.no_grad():
            self.trunk.eval()(self._padded(torch.zeros(1, 3, _SIDE, _SIDE)))
        self.trunk.train(training)
        for hook in hooks:
            hook.remove()
        if not ran:
            raise ValueError("the trunk has no convolution; name its features with 'features'")
        return ran[-1]

    def _freeze_the_rest(self, features: Tensor) -> None:
        """Weights that do not act on the features take no part in training."""
        weights = [p for p in self.trunk.parameters() if p.requires_grad]
        used = torch.autograd.grad(features.sum(), weights, allow_unused=True)
        for weight, gradient in zip(weights, used, strict=True):
            weight.requires_grad_(gradient is not None)


class _OneTask(nn.Module):
    """One head of a network and the trunk."""

    def __init__(self, network: TaskHeads, place: int) -> None:
        super().__init__()
        self._network, self._place = network, place
        self.limits = network.limits

    def forward(self, x: Tensor) -> Tensor:
        restored: Tensor = self._network._head(self._place)(self._network.share(x), x)
        return restored


def for_task(network: nn.Module, task: str) -> nn.Module:
    """The network that restores images of a task: one head, or the network itself."""
    return network.only(task) if isinstance(network, TaskHeads) else network


def shared_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Trained weights that all tasks share: those of the trunk, or all of them."""
    shared = network.trunk if isinstance(network, TaskHeads) else network
    return [p for p in shared.parameters() if p.requires_grad]


def _outer(network: nn.Module) -> Iterator[str]:
    return (name for name, _ in network.named_children())


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
