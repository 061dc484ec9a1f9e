from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from realsr_mtl.degradations.streams import (
    RandomStreams,
    philox,
    purpose_key,
    stable_index,
)
from tests._asserts import (
    assert_uniform,
    assert_uniform_on,
    global_randomness_untouched,
)

INDEX = torch.tensor([0, 7, 2**32 - 1, 2**32, 2**32 + 7, 2**62])
KINDS = ("bits", "uniform", "seeds")


def _words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def _scalar_philox(counter: list[int], key: list[int]) -> list[int]:
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * counter[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * counter[2], 2**32)
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return counter


@pytest.mark.parametrize(
    ("counter", "key", "result"),
    [
        ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (
            "ffffffff ffffffff ffffffff ffffffff",
            "ffffffff ffffffff",
            "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ),
        (
            "243f6a88 85a308d3 13198a2e 03707344",
            "a4093822 299f31d0",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter, key, result):
    counters = tuple(np.array(word, dtype=np.uint64) for word in _words(counter))
    assert philox(counters, tuple(_words(key))).tolist() == _words(result)


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_bits_are_philox_of_block_and_index_under_seed_and_purpose(seed):
    bits = RandomStreams(seed).bits("crop", INDEX, 7)
    for row, index in zip(bits.tolist(), INDEX.tolist(), strict=True):
        high, low = divmod(index, 2**32)
        expected = [
            word
            for block in range(2)
            for word in _scalar_philox([block, 0, low, high], [seed, purpose_key("crop")])
        ]
        assert row == expected[:7]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_do_not_depend_on_the_batch(kind):
    draw = getattr(RandomStreams(3), kind)
    whole = draw("crop", INDEX, 5)
    assert torch.equal(whole.flip(0), draw("crop", INDEX.flip(0), 5))
    assert torch.equal(whole, torch.cat([draw("crop", i[None], 5) for i in INDEX]))
    assert torch.equal(whole[:, :2], draw("crop", INDEX, 2))
    assert draw("crop", INDEX[:0], 5).shape == (0, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_seed_purpose_and_index_each_change_all_numbers(kind):
    draws = [
        getattr(RandomStreams(seed), kind)(purpose, torch.tensor([index]), 4)
        for seed in (0, 1)
        for purpose in ("crop", "noise")
        for index in (5, 6, 5 + 2**32)
    ]
    assert torch.cat(draws).flatten().unique().numel() == 4 * len(draws)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_has_32_bits(seed):
    with pytest.raises(ValueError, match=r"seed must be in \[0, 2\^32\)"):
        RandomStreams(seed)


def test_uniform_numbers_are_uniform_and_uncorrelated():
    u = RandomStreams(1).uniform("crop", torch.arange(20_000), 5)
    assert u.dtype == torch.float64
    assert torch.equal(u * 2**53, (u * 2**53).floor())
    for column in u.T:
        assert_uniform(column, 0, 1)
    cross = torch.corrcoef(torch.cat((u, u.roll(1, 0)), 1).T) - torch.eye(10)
    assert cross.abs().max() < 4.5 / math.sqrt(len(u))


def test_noise_seeds_are_exact_in_json():
    seeds = RandomStreams(1).seeds("noise", torch.arange(5_000), 2)
    assert seeds.min() >= 0 and 2**52 < seeds.max() < 2**53
    assert seeds.unique().numel() == seeds.numel()
    assert torch.equal(seeds.double().long(), seeds)


def test_permutations_are_uniform():
    streams = RandomStreams(0)
    orders = torch.stack([streams.permutation("order", i, 5) for i in range(2_000)])
    assert torch.equal(orders.sort(1).values, torch.arange(5).expand(2_000, 5))
    for position in range(5):
        assert_uniform_on(orders[:, position], range(5))
    assert torch.equal(streams.permutation("order", 3, 5), orders[3])


def test_names_give_the_same_keys_everywhere():
    digest = 0xCA978112CA1BBDCA  # sha256("a") begins with it
    assert purpose_key("a") == digest >> 32
    assert stable_index("a") == digest >> 2
    assert stable_index("ab", "c") != stable_index("a", "bc")


def test_no_global_generator_is_used():
    streams = RandomStreams(0)
    with global_randomness_untouched():
        streams.uniform("crop", INDEX, 3)
        streams.permutation("order", 0, 10)
