from __future__ import annotations

import pytest
import torch
from torch import nn

from realsr_mtl.errors import UserError
from realsr_mtl.training.task_gradients import (
    CountSketch,
    LastLayer,
    check_samples_do_not_mix,
    flat_gradient,
    gram_matrix,
    set_gradient,
)

CPU = torch.device("cpu")


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 12, 3, padding=1), nn.PixelShuffle(2)
    )


def losses(net: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return net(images).square().mean((1, 2, 3))


def test_a_flat_gradient_is_what_backward_leaves_in_the_parameters():
    net, images = network(), torch.rand(2, 3, 8, 8)
    net.register_parameter("unused", nn.Parameter(torch.ones(5)))
    parameters = list(net.parameters())
    flat = flat_gradient(losses(net, images).sum(), parameters)
    losses(net, images).sum().backward()
    expected = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    assert torch.allclose(flat, torch.cat([g.flatten() for g in expected]))
    for p in parameters:
        p.grad = None
    set_gradient(flat, parameters)
    for p, g in zip(parameters, expected, strict=True):
        assert torch.allclose(p.grad, g)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_gradients_keep_the_memory_format_of_their_parameter(memory_format):
    net = network().to(memory_format=memory_format)
    parameters = list(net.parameters())
    set_gradient(torch.arange(sum(p.numel() for p in parameters)).float(), parameters)
    for p in parameters:
        assert p.grad.stride() == p.stride()
    assert parameters[0].grad[0, 0, 0].tolist() == [0, 1, 2]


def test_a_gram_matrix_is_exact():
    rows = torch.randn(5, 3_000_000, generator=torch.Generator().manual_seed(0))
    wide = rows.double()
    assert torch.allclose(gram_matrix(rows), wide @ wide.T, rtol=1e-12)


def test_a_sketch_is_linear_and_keeps_inner_products_on_average():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 20_000, generator=generator)
    b = b + a
    sketch = CountSketch(20_000, 2048, 1, CPU)
    assert torch.allclose(sketch(2 * a - b), 2 * sketch(a) - sketch(b), atol=1e-3)
    products = torch.stack(
        [(s(a) * s(b)).sum() for s in (CountSketch(20_000, 512, i, CPU) for i in range(200))]
    )
    exact = float((a * b).sum())
    error = float(products.std()) / 200**0.5
    assert abs(float(products.mean()) - exact) < 4 * error
    spread = float(a.norm() * b.norm()) * (2 / 512) ** 0.5  # an upper bound of the deviation
    assert float(products.std()) < 1.2 * spread
    assert torch.equal(sketch(a), CountSketch(20_000, 2048, 1, CPU)(a))
    assert not torch.equal(sketch(a), CountSketch(20_000, 2048, 2, CPU)(a))


def test_the_last_layers_gradients_are_exact_for_every_part():
    net, images = network(), torch.rand(5, 3, 8, 8)
    parts = [
        torch.tensor(p)
        for p in ([True, False, True, False, False], [False, True, False, True, True], [False] * 5)
    ]
    layer = LastLayer(net)
    with layer.watched():
        found = losses(net, images)
    rows = layer.rows(found, parts)
    last = list(net[2].parameters())
    for part, row in zip(parts, rows, strict=True):
        if bool(part.any()):
            assert torch.allclose(
                row, flat_gradient(losses(net, images[part]).sum(), last), atol=1e-6
            )
        else:
            assert not row.any()
    found.sum().backward()  # the graph is still there
    assert net[0].weight.grad is not None


def test_the_last_layer_is_the_one_that_runs_last():
    class Reversed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tail = nn.Conv2d(4, 3, 1)
            self.head = nn.Conv2d(3, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.tail(self.head(x))

    layer = LastLayer(net := Reversed())
    with layer.watched():
        found = losses(net, torch.rand(2, 3, 4, 4))
    assert layer.rows(found, [torch.tensor([True, True])])[0].numel() == 15


def test_networks_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="convolution or a linear layer"):
        LastLayer(nn.PReLU())
    check_samples_do_not_mix(network())
    with pytest.raises(UserError, match="without batch normalisation"):
        check_samples_do_not_mix(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)))
