"""A shared trunk with heads: shapes, sharing, gradients, mistakes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from realsr_mtl.archs import TaskHeads, build_network, count_parameters, for_task, shared_parameters
from realsr_mtl.errors import OptionError, UserError

TRUNK = {"type": "MSRResNet", "num_feat": 8, "num_block": 2, "upscale": 2}
HEADS = {"sr": {"scale": 2}, "denoise": {"tasks": ["noise15", "noise50"]}, "colour": {}}
TASK = torch.tensor([0, 2, 1, 0])


def _network(**options: Any) -> TaskHeads:
    block = {"type": "TaskHeads", "trunk": TRUNK, "heads": HEADS, "features": "body", **options}
    network = build_network(block, 2, seed=0)
    assert isinstance(network, TaskHeads)
    return network


def _images(side: int = 12) -> Tensor:
    return torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_every_sample_goes_through_the_head_of_its_task():
    network = _network()
    network.bind(["noise15", "sr", "colour"])
    found = network(_images(), TASK)
    assert [where.tolist() for where, _ in found] == [[2], [0, 3], [1]]
    assert [tuple(out.shape) for _, out in found] == [
        (1, 3, 24, 24),
        (2, 3, 12, 12),
        (1, 3, 12, 12),
    ]
    for (where, out), task in zip(found, ("sr", "noise50", "colour"), strict=True):
        torch.testing.assert_close(out, for_task(network, task)(_images()[where]))


@pytest.mark.parametrize(
    ("trunk", "features"),
    [
        ({"type": "NAFNet", "width": 4}, None),
        ({"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1, "upscale": 2}, None),
        ({"type": "MSRResNet", "num_feat": 4, "num_block": 1}, "conv_first"),
        ({"type": "RRDBNet", "num_in_ch": 3, "num_out_ch": 3, "scale": 4, "num_feat": 8,
          "num_block": 1, "num_grow_ch": 4}, "conv_body"),
        ({"type": "NAFNet", "width": 4}, "middle_blks"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(32, 32), (40, 24)])
def test_any_network_can_be_the_trunk(trunk: dict[str, Any], features: str | None, size: Any):
    network = _network(trunk=trunk, features=features)
    assert tuple(for_task(network, "sr")(torch.rand(1, 3, *size)).shape[-2:]) == tuple(
        2 * side for side in size
    )
    trained = shared_parameters(network)
    sum(out.square().mean() for _, out in network(torch.rand(4, 3, *size), TASK)).backward()
    assert trained and all(p.grad is not None for p in trained)


def test_what_follows_the_features_is_left_out_and_stays_as_it_is():
    network = _network()
    rest = {n: p for n, p in network.trunk.named_parameters() if not p.requires_grad}
    assert {name.split(".")[0] for name in rest} == {"upconv1", "conv_hr", "conv_last"}
    fired: list[int] = []
    network.trunk.conv_hr.register_forward_hook(lambda *_: fired.append(1))
    network.bind(["sr"])
    network(_images(), torch.zeros(4, dtype=torch.long))
    assert not fired


def test_the_trunk_of_published_weights_fits():
    alone = build_network(TRUNK, 2, seed=5)
    network = _network()
    network.trunk.load_state_dict(alone.state_dict())
    expected = alone.body(torch.nn.functional.leaky_relu(alone.conv_first(_images()), 0.1))
    torch.testing.assert_close(network.share(_images()), expected)


def test_a_head_without_samples_has_a_gradient_of_zero():
    network = _network()
    network.bind(["sr", "noise15", "colour"])
    for _, out in (found := network(_images(), torch.tensor([0, 0, 1, 1]))):
        out.sum().backward(retain_graph=True)
    assert len(found) == 2
    for name, weight in network.heads.named_parameters():
        assert weight.grad is not None, name
        assert bool(weight.grad.any()) != name.startswith("colour"), name


def test_factors_scale_what_goes_back_to_the_trunk_alone():
    network = _network()
    network.bind(["sr", "noise15", "colour"])
    gate = torch.ones(3)

    def gradients(factors: Tensor) -> dict[str, Tensor]:
        network.zero_grad()
        gate.fill_(9)
        found = network(_images(), TASK, gate)
        gate.copy_(factors)  # known only after the forward pass
        sum(out.square().sum() for _, out in found).backward()
        return {n: p.grad.clone() for n, p in network.named_parameters() if p.requires_grad}

    plain = gradients(torch.ones(3))
    singly = [gradients(row) for row in torch.eye(3)]
    mixed = gradients(torch.tensor([2.0, -1.0, 0.5]))
    for name in plain:
        if name.startswith("heads"):
            torch.testing.assert_close(mixed[name], plain[name])
            continue
        a, b, c = (gradient[name] for gradient in singly)
        torch.testing.assert_close(mixed[name], 2 * a - b + 0.5 * c, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(plain[name], a + b + c, rtol=1e-4, atol=1e-5)


def test_copies_are_independent_and_state_dicts_load():
    network, other = _network(), _network()
    copied = copy.deepcopy(network)
    with torch.no_grad():
        network.heads["sr"].last.weight.add_(1)
    assert not torch.equal(for_task(network, "sr")(_images()), for_task(copied, "sr")(_images()))
    other.load_state_dict(network.state_dict())
    assert torch.equal(for_task(network, "sr")(_images()), for_task(other, "sr")(_images()))
    assert count_parameters(network) == sum(p.numel() for p in other.parameters())


def test_a_head_is_what_its_options_say():
    network = _network(heads={"a": {"num_feat": 4, "num_block": 3, "residual": False}})
    names = {name.split(".")[1] for name, _ in network.heads["a"].body.named_parameters()}
    assert network.heads["a"].last.weight.shape == (3, 4, 3, 3)
    assert len(network.heads["a"].body) == 4 and names
    with torch.no_grad():
        for weight in network.heads.parameters():
            weight.zero_()
    assert not for_task(network, "a")(_images()).any()


def test_other_networks_are_their_own_part():
    network = build_network(TRUNK, 2, seed=0)
    assert for_task(network, "anything") is network
    assert len(shared_parameters(network)) == len(list(network.parameters()))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"features": "tail"}, "no module 'tail'; there are conv_first, body"),
        ({"features": None, "heads": {"a": {}}}, "head 'a' has scale 1, the features .* have 2"),
        ({"heads": {}}, "heads: .*at least 1"),
        ({"heads": {"a": {"scal": 2}}}, "heads:a:scal: unknown key"),
        ({"heads": {"a": {"tasks": ["x"]}, "b": {"tasks": ["x"]}}}, "a task has two heads"),
        ({"trunk": {"type": "MSRResNett"}}, "network_g:trunk:type: .*did you mean 'MSRResNet'"),
        ({"trunk": {"type": "NAFNet", "width": 4}, "features": "encoders"}, "does not run"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], sentence: str):
    with pytest.raises(OptionError, match=sentence):
        _network(**options)


def test_a_task_without_a_head_is_named():
    network = _network()
    with pytest.raises(UserError, match="task 'rain' has no head; there are heads for sr, noise15"):
        network.bind(["sr", "rain"])
    with pytest.raises(UserError, match="task 'all' has no head"):
        for_task(network, "all")
