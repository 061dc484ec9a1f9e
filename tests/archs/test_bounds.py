from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from realsr_mtl.archs import build_discriminator, build_network
from realsr_mtl.archs.bounds import MOST_LAYERS, MOST_WEIGHTS, bounded_size
from realsr_mtl.errors import OptionError


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"type": "MSRResNet", "num_feat": 10**9}, "num_feat: .*less than or equal to 4096"),
        ({"type": "MSRResNet", "num_block": 10**7}, "num_block: .*less than or equal to 1000"),
        ({"type": "MSRResNet", "num_feat": 0}, "num_feat: .*greater than or equal to 1, found 0"),
        ({"type": "MSRResNet", "num_feat": 4096}, "more than 150,000,000 weights"),
        ({"type": "RRDBNet", "num_feat": 512, "num_block": 500}, "more than 150,000,000 weights"),
        ({"type": "SwinIR", "window_size": 200, "img_size": 200}, "more than 16,777,216 numbers"),
        ({"type": "SwinIR", "window_size": 48, "img_size": 48}, "more than 150,000,000 weights"),
        ({"type": "SwinIR", "depths": [10**9], "num_heads": [1]}, "more than 16,777,216 numbers"),
        ({"type": "SwinIR", "depths": [10**6], "num_heads": [1]}, "more than 16,777,216 numbers"),
        ({"type": "EDSR", "num_in_ch": 3, "num_out_ch": 3, "upscale": 2**20}, "EDSR"),
        ({"type": "SwinIR", "embed_dim": 0}, r"gets no weights, \(0, 3, 3, 3\)"),
        ({"type": "SwinIR", "embed_dim": 10**9}, "more memory than there is"),
        (
            {"type": "TaskHeads", "heads": {"a": {"scale": 10**9}}, "trunk": {"type": "MSRResNet"}},
            "scale: .*less than or equal to 64",
        ),
    ],
)
def test_absurd_sizes_end_in_a_sentence_and_take_neither_memory_nor_time(block, sentence):
    started = time.process_time()
    with pytest.raises(OptionError, match=sentence):
        build_network(block, 4, seed=0)
    assert time.process_time() - started < 20


def test_a_discriminator_is_bounded_too():
    for options, place in (({"num_feat": 10**9}, "num_feat"), ({"num_layers": 10**9}, "layers")):
        with pytest.raises(OptionError, match=place):
            build_discriminator({"type": "PatchDiscriminator", **options}, 0)
    with pytest.raises(OptionError, match="more than 150,000,000 weights"):
        build_discriminator({"type": "UNetDiscriminatorSN", "num_feat": 4096}, 0)


def test_weights_are_counted_before_they_are_written():
    with bounded_size(), pytest.raises(ValueError, match=f"{MOST_WEIGHTS:,} weights"):
        nn.Linear(2**14, 2**14)
    with bounded_size(), pytest.raises(ValueError, match=f"{MOST_LAYERS:,} layers"):
        nn.ModuleList(nn.Identity() for _ in range(10**5))
    nn.ModuleList(nn.Identity() for _ in range(MOST_LAYERS + 1))  # outside nothing is counted


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.arange(10**10),
        lambda: torch.linspace(0, 1, 10**10),
        lambda: list(torch.linspace(0, 1, 10**7)),
        lambda: torch.ones(2**13, 2**12),
        lambda: torch.zeros(2**13, 1) + torch.zeros(2**13),
        lambda: torch.zeros(2**13).repeat(2**13),
    ],
)
def test_large_tables_are_refused_before_they_are_made(make):
    with bounded_size(), pytest.raises(ValueError, match="numbers"):
        make()


def test_initial_weights_are_those_without_bounds():
    torch.manual_seed(0)
    free = nn.Conv2d(3, 8, 3).weight
    torch.manual_seed(0)
    with bounded_size():
        assert torch.equal(nn.Conv2d(3, 8, 3).weight, free)
