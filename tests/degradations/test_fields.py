from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.boxes import Box
from realsr_mtl.degradations.fields import normal_quantiles, philox, words_at, words_on_canvas
from tests._asserts import assert_distributed, global_randomness_untouched

SEEDS = [0, 1, 2**32, 2**53 - 1]
BITS = pytest.mark.parametrize("bits", [16, 32])


def _signed(words: list[int]) -> torch.Tensor:
    return torch.from_numpy(np.array(words, dtype=np.uint64).view(np.int64))


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        (
            [0] * 4,
            [0] * 2,
            [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B],
        ),
        (
            [2**64 - 1] * 4,
            [2**64 - 1] * 2,
            [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0],
        ),
        (
            [0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89],
            [0x452821E638D01377, 0xBE5466CF34E90C6C],
            [0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6],
        ),
    ],
)
def test_known_answers_of_philox4x64(counter, key, expected):
    """The vectors that the authors' library checks itself with."""
    counters = tuple(_signed([word]) for word in counter)
    keys = tuple(_signed([word]) for word in key)
    found = philox(counters, keys).flatten().numpy().view(np.uint64)
    assert found.tolist() == expected


@BITS
@pytest.mark.parametrize("channels", [1, 3])
def test_tensors_and_arrays_hold_the_same_words(bits, channels):
    sizes = torch.tensor([[5, 7], [9, 2], [1, 1], [4, 11]])
    canvas = words_on_canvas(torch.tensor(SEEDS), sizes, channels, bits)
    assert canvas.shape == (4, channels, 9, 11)
    for seed, words, (height, width) in zip(SEEDS, canvas, sizes.tolist(), strict=True):
        alone = words_at(seed, Box.whole((height, width)), width, channels, bits)
        assert alone.shape == (height, width, channels)
        expected = torch.from_numpy(alone.astype(np.int64)).permute(2, 0, 1)
        assert torch.equal(words[:, :height, :width], expected)


@BITS
@pytest.mark.parametrize("box", [Box(0, 0, 40, 23), Box(7, 3, 8, 23), Box(39, 22, 40, 23)])
def test_a_part_of_a_field_is_that_of_the_whole(bits, box):
    whole = words_at(5, Box.whole((40, 23)), 23, 3, bits)
    part = words_at(5, box, 23, 3, bits)
    assert np.array_equal(part, whole[box.top : box.bottom, box.left : box.right])


def test_fields_of_different_seeds_differ_and_no_global_generator_is_used():
    with global_randomness_untouched():
        fields = [words_at(seed, Box.whole((6, 6)), 6, 3, 16).tobytes() for seed in SEEDS]
        words_on_canvas(torch.tensor(SEEDS), torch.tensor([[6, 6]] * 4), 3, 16)
    assert len(set(fields)) == 4


@BITS
def test_words_are_uniform(bits):
    words = torch.from_numpy(words_at(3, Box.whole((200, 201)), 201, 3, bits).astype(np.int64))
    u = (words.double() + 0.5) / 2**bits
    assert_distributed(u, lambda x: x)
    centred = (u - 0.5).flatten() * math.sqrt(12)
    for lag in (1, 3, 3 * 201):  # along channels, a row, a column
        assert abs((centred * centred.roll(lag)).mean()) < 4 / math.sqrt(len(centred))


def test_normal_quantiles_are_standard_normal():
    value = normal_quantiles().double()
    assert value.shape == (65_536,) and torch.equal(value, -value.flip(0))
    assert (value.diff() > 0).all()
    assert abs(value.square().mean() - 1) < 1e-7 and abs((value**4).mean() - 3) < 0.01
    rank = (torch.arange(65_536, dtype=torch.float64) + 0.5) / 65_536
    assert (torch.special.ndtr(value) - rank).abs().max() < 2e-5


def test_gaussian_fields_are_normal_and_white():
    words = words_at(11, Box.whole((200, 201)), 201, 3, 16)
    x = normal_quantiles()[torch.from_numpy(words.astype(np.int64))].double().flatten()
    n = x.numel()
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((x**power).mean() - moment) < 4 * math.sqrt(variance / n)
    assert_distributed(x, torch.special.ndtr)
    assert abs((x**2 * x.roll(1) ** 2).mean() - 1) < 4 * math.sqrt(8 / n)
