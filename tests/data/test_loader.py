from __future__ import annotations

import dataclasses
import itertools
import logging
import operator
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from realsr_mtl.data import (
    ImageDataset,
    ImageError,
    ImageFolder,
    ImageSample,
    Mixture,
    NoisyImages,
    Photographs,
    TrainingLoader,
)
from realsr_mtl.data.loader import Patch, StreamBatch, check_failures
from realsr_mtl.degradations import RandomStreams
from realsr_mtl.errors import UserError
from tests._inputs import photograph
from tests.data._files import numbered
from tests.data._hostile import write_hostile
from tests.data._lmdb import write_lmdb

PLAIN = Patch(size=8, smallest=8, scale=2, hflip=False, rot=False)
TURNING = Patch(size=8, smallest=8, scale=2, hflip=True, rot=True)


class Pixels(ImageDataset):
    """Images from memory; an entry that is a text stands for a damaged file."""

    def __init__(self, images, scale=None):
        self.images = images
        self.names = [f"image {i}" for i in range(len(images))]
        self.has_gt, self.has_lq = True, scale is not None
        self.scale = scale

    def load(self, position):
        image = self.images[position]
        if isinstance(image, str):
            raise ImageError(image)
        if self.scale is None:
            return ImageSample(self.names[position], image, None)
        gt = image.repeat(self.scale, 0).repeat(self.scale, 1)
        return ImageSample(self.names[position], gt, image)


def flat(count, size=8):
    """Images that differ in their grey level only."""
    return Pixels([np.full((size, size, 3), i, np.uint8) for i in range(count)])


def take(images, count, patch=TURNING, seed=0, **options):
    options = {"batch_size": 4, "workers": 0, **options}
    loader = TrainingLoader(images, patch, RandomStreams(seed), **options)
    return list(itertools.islice(loader, count))


def joined(batches):
    return torch.cat([b.gt for b in batches]), torch.cat([b.index for b in batches]).tolist()


@pytest.fixture
def photos():
    return Pixels([photograph(12 + i, 20 - i, seed=i) for i in range(5)])


def test_batches_are_bytes_on_the_cpu(photos):
    (batch,) = take(photos, 1)
    assert isinstance(batch, StreamBatch)
    assert (batch.gt.shape, batch.gt.dtype) == ((4, 3, 8, 8), torch.uint8)
    assert (batch.lq, batch.failed, batch.index.tolist()) == (None, {}, [0, 1, 2, 3])


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # two cores
@pytest.mark.parametrize(
    ("workers", "start"),
    [
        (1, None),
        (1, "fork"),
        (4, "fork"),
        pytest.param(4, "spawn", marks=pytest.mark.slow),
        (1, "forkserver"),
    ],
)
def test_workers_do_not_change_the_stream_however_they_start(photos, workers, start):
    photos.images[3] = "'x.png' is cut short"
    options = {"max_failed": 0.2}
    here = take(photos, 5, **options)
    there = take(photos, 5, workers=workers, worker_start=start, **options)
    assert joined(here)[1] == joined(there)[1] == list(range(20))
    assert torch.equal(joined(here)[0], joined(there)[0])
    assert [list(b.images) for b in here] == [list(b.images) for b in there]
    assert [b.failed for b in here] == [b.failed for b in there]


def test_a_start_that_the_system_lacks_is_explained(photos, monkeypatch):
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(UserError, match=r"cannot start by fork here; set .*worker_start to spawn"):
        take(photos, 1, worker_start="fork")


def test_every_data_set_can_be_sent_to_a_process(make_images):
    folder = str(make_images("gt", count=3, size=(20, 24)))
    root = write_lmdb("gt.lmdb", {"a": photograph(9, 9)})
    pair = {"type": "PairedImages", "dataroot_gt": folder, "dataroot_lq": folder, "task": "a"}
    for images in (
        ImageFolder(2, dataroot_gt=folder, cache=True),
        ImageFolder(2, dataroot_gt=root),
        NoisyImages(1, sigma=25, dataroot_gt=folder),
        Mixture(1, sets=[pair, {**pair, "repeat": 2, "task": "b"}]),
        Photographs(4, split="val"),
    ):
        images.preload()
        images.load(0)
        sent = pickle.loads(pickle.dumps(images))
        assert sent.names == images.names and sent.tasks == images.tasks
        np.testing.assert_array_equal(sent.load(0).gt, images.load(0).gt)


@pytest.mark.parametrize("workers", [0, 2])
def test_odd_files_are_used_or_named(workers, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("realsr_mtl"), "propagate", True)
    reasons = write_hostile(Path("odd"))
    images = ImageFolder(2, dataroot_gt="odd")
    patch = Patch(size=16, smallest=8, scale=2, hflip=True, rot=True)
    batches = take(images, 2 * len(images), patch, batch_size=1, workers=workers, max_failed=0.7)
    used = {batch.images[0].split("good_")[1] for batch in batches}
    names = {"cmyk", "deep", "palette", "really_a_png", "wide", "high", "below"}
    assert used == names
    assert len(caplog.records) == len(reasons) == len(images) - len(names)
    for reason in reasons.values():
        assert re.search(rf"skipped image \d+ of {len(images)}: .*{reason}", caplog.text)
    with pytest.raises(UserError, match=r"\d+ of 18 images cannot be used, more than max_failed"):
        take(images, len(images), patch, batch_size=1, workers=workers)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("scale", [None, 2], ids=["HR", "pairs"])
def test_every_sample_names_the_image_that_it_was_cut_out_of(workers, scale):
    images = Pixels([np.full((8, 8, 3), i, np.uint8) for i in range(20)], scale)
    images.images[7] = "'x.png' is cut short"
    patch = dataclasses.replace(TURNING, with_key=True)
    for batch in take(images, 10, patch, workers=workers):
        shown = [f"image {level}" for level in batch.gt[:, 0, 0, 0].tolist()]
        assert list(batch.images) == shown
        assert "image 7" not in shown


def test_page_locked_batches_keep_everything(photos, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor.clone())  # needs no GPU
    images = Pixels(photos.images, scale=2)
    (batch,) = take(images, 1, dataclasses.replace(TURNING, with_key=True))
    locked = batch.pin_memory()
    for field in dataclasses.fields(StreamBatch):
        before, after = getattr(batch, field.name), getattr(locked, field.name)
        same = torch.equal if isinstance(before, torch.Tensor) else operator.eq
        assert same(before, after), field.name
    assert locked.gt is not batch.gt and locked.lq is not batch.lq and locked.key is not batch.key


def test_ranks_share_one_stream(photos):
    whole = take(photos, 3, batch_size=4)
    ranks = [take(photos, 3, batch_size=2, rank=r, world_size=2) for r in range(2)]
    for batch, *parts in zip(whole, *ranks, strict=True):
        assert torch.equal(batch.gt, torch.cat([part.gt for part in parts]))
        assert batch.index.tolist() == [i for part in parts for i in part.index.tolist()]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_later_start_continues_the_stream(photos, workers):
    whole, rest = take(photos, 6), take(photos, 3, first=3, workers=workers)
    assert joined(rest)[1] == list(range(12, 24))
    assert torch.equal(joined(whole[3:])[0], joined(rest)[0])
    assert torch.equal(take(photos, 1, first=10**9)[0].index, torch.arange(4) + 4 * 10**9)


def test_seeds_give_other_streams_and_global_state_is_left_alone(photos):
    torch.manual_seed(3)
    np_state, state = np.random.get_state()[1].copy(), torch.get_rng_state()
    first, second = take(photos, 4, seed=0), take(photos, 4, seed=1)
    take(photos, 1, workers=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], np_state)
    assert not torch.equal(joined(first)[0], joined(second)[0])


def test_every_epoch_visits_each_image_once_in_another_order():
    seen = joined(take(flat(12), 9))[0][:, 0, 0, 0].tolist()
    epochs = [seen[start : start + 12] for start in (0, 12, 24)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_crops_reach_every_place_and_are_not_flipped_unasked():
    image = Pixels([numbered(11)])
    gt = joined(take(image, 40, PLAIN))[0]
    corners = {tuple(patch[:2, 0, 0].tolist()) for patch in gt}
    assert corners == set(itertools.product(range(1, 5), range(1, 5)))
    expected = torch.arange(8)
    for patch in gt:
        assert torch.equal(patch[0] - patch[0, 0, 0], expected[:, None].expand(8, 8).byte())
        assert torch.equal(patch[1] - patch[1, 0, 0], expected[None, :].expand(8, 8).byte())


@pytest.mark.parametrize(
    ("hflip", "rot", "kinds"),
    [(False, False, 1), (True, False, 2), (False, True, 4), (True, True, 8)],
)
def test_flips_follow_the_options(hflip, rot, kinds):
    patch = Patch(size=8, smallest=8, scale=2, hflip=hflip, rot=rot)
    gt = joined(take(Pixels([numbered(8)]), 40, patch))[0]
    counts = np.unique(gt.flatten(1).numpy(), axis=0, return_counts=True)[1]
    assert len(counts) == kinds
    assert counts.min() > 160 / kinds / 3
    if kinds == 2:
        assert torch.equal(gt[:, 0, :, 0], gt[:, 0, :, 7])  # rows stay rows


@pytest.mark.parametrize("scale", [2, 4])
def test_pairs_stay_aligned(scale):
    images = Pixels([numbered(20), numbered(9)], scale=scale)
    patch = Patch(size=8 * scale, smallest=8 * scale, scale=scale, hflip=True, rot=True)
    batches = take(images, 10, patch)
    assert all(b.lq.shape == (4, 3, 8, 8) and b.lq.dtype == torch.uint8 for b in batches)
    corners = set()
    for batch in batches:
        assert torch.equal(batch.gt[..., ::scale, ::scale], batch.lq)
        assert torch.equal(batch.gt[..., scale - 1 :: scale, scale - 1 :: scale], batch.lq)
        corners |= {tuple(patch[:2, 0, 0].tolist()) for patch in batch.lq}
    assert len(corners) > 15


def test_16_bit_images_mix_with_8_bit_ones():
    deep = numbered(8).astype(np.uint16) * 257
    (batch,) = take(Pixels([numbered(8), deep]), 1, PLAIN)
    assert batch.gt.dtype == torch.float32
    expected = torch.from_numpy(numbered(8)).permute(2, 0, 1).float() / 255
    torch.testing.assert_close(batch.gt, expected.expand(4, 3, 8, 8))
    (batch,) = take(Pixels([deep]), 1, PLAIN)
    assert batch.gt.dtype == torch.float32
    torch.testing.assert_close(batch.gt[0], expected)


@pytest.mark.parametrize("size", [(5, 20), (20, 6), (5, 5), (8, 8), (3, 8), (1, 1)])
def test_small_images_are_padded_by_reflection(size):
    image = photograph(*size)
    patch = Patch(size=8, smallest=1, scale=2, hflip=False, rot=False)
    (batch,) = take(Pixels([image]), 1, patch)

    def mirror(position, length):
        period = max(1, 2 * (length - 1))
        return min(position % period, period - position % period)

    rows, columns = ([mirror(i, side) for i in range(max(8, side))] for side in size)
    canvas = torch.from_numpy(image[np.ix_(rows, columns)]).permute(2, 0, 1)
    places = canvas.unfold(1, 8, 1).unfold(2, 8, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
    assert all(any(torch.equal(patch, place) for place in places) for patch in batch.gt)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "bad", ["'x.png' is cut short", photograph(7, 30)], ids=["damaged", "too small"]
)
def test_unusable_images_are_replaced_warned_about_once_and_never_used(bad, workers, caplog):
    images = flat(20)
    images.images[7] = bad
    with caplog.at_level(logging.WARNING):
        batches = take(images, 15, workers=workers)
    gt, index = joined(batches)
    assert index == list(range(60))
    assert 7 not in gt[:, 0, 0, 0].tolist()
    assert {0, 19} < set(gt[:, 0, 0, 0].tolist())
    (record,) = caplog.records
    reason = (
        bad if isinstance(bad, str) else "'image 7' has 30 x 7 pixels, fewer than the patch of 8"
    )
    assert record.getMessage().startswith("skipped image 1 of 20: ")
    assert reason in record.getMessage()
    assert sum(bool(batch.failed) for batch in batches) == 3  # once in every epoch


@pytest.mark.parametrize("workers", [0, 1])
def test_too_many_unusable_images_stop_the_run(workers):
    images = flat(20)
    for i in (3, 4, 5):
        images.images[i] = f"'{i}.png' is cut short"
    with pytest.raises(UserError, match=r"3 of 20 images cannot.*max_failed=0\.1 .*\d\.png"):
        take(images, 5, workers=workers)
    assert len(take(images, 5, workers=workers, max_failed=0.15)) == 5


def test_no_usable_image_at_all_stops_the_run():
    images = Pixels(["'x.png' is cut short"] * 3)
    with pytest.raises(UserError, match="3 of 3 images cannot be used"):
        take(images, 1)
    with pytest.raises(UserError, match=r"no readable image found: 'x\.png' is cut short"):
        take(images, 1, max_failed=1.0)


@pytest.mark.parametrize(
    ("failed", "share", "stops"),
    [(0, 0.0, False), (1, 0.0, True), (10, 0.1, False), (11, 0.1, True)],
)
def test_the_share_of_failures(failed, share, stops):
    reasons = {str(i): f"reason {i}" for i in range(failed)}
    if stops:
        with pytest.raises(UserError, match=f"{failed} of 100 .*the first: reason 0"):
            check_failures(reasons, 100, share)
    else:
        check_failures(reasons, 100, share)


def test_cache_and_lmdb_give_the_stream_of_the_folder(make_images):
    folder = str(make_images("gt", count=3, size=(20, 24)))
    plain = ImageFolder(2, dataroot_gt=folder)
    expected = joined(take(plain, 4))[0]
    root = write_lmdb("gt.lmdb", {name: plain.load(i).gt for i, name in enumerate(plain.names)})
    for options in ({"dataroot_gt": folder, "cache": True}, {"dataroot_gt": root}):
        images = ImageFolder(2, **options)
        for workers in (0, 2):
            assert torch.equal(joined(take(images, 4, workers=workers))[0], expected)


def test_a_loader_can_be_read_twice(photos):
    loader = TrainingLoader(photos, TURNING, RandomStreams(0), batch_size=2, workers=0)
    first, again = (list(itertools.islice(loader, 2)) for _ in range(2))
    assert torch.equal(joined(first)[0], joined(again)[0])


def test_a_second_crop_leaves_the_first_as_it_is(photos):
    plain = take(photos, 6)
    both = take(photos, 6, dataclasses.replace(TURNING, with_key=True))
    assert all(batch.key is None for batch in plain)
    assert all(torch.equal(a.gt, b.gt) for a, b in zip(plain, both, strict=True))
    same = [torch.equal(g, k) for batch in both for g, k in zip(batch.gt, batch.key, strict=True)]
    assert sum(same) < 4 and len(same) == 24


def test_the_second_crop_is_of_the_same_image_and_lq_for_pairs():
    images = Pixels([np.full((8, 8, 3), 10 * i, np.uint8) for i in range(5)], scale=2)
    for batch in take(images, 4, dataclasses.replace(TURNING, with_key=True)):
        assert batch.key.shape == batch.lq.shape
        assert torch.equal(batch.key, batch.lq)


def test_the_second_crop_of_a_noisy_image_has_other_noise(tmp_path):
    Image.fromarray(np.full((32, 32, 3), 128, np.uint8)).save(tmp_path / "a.png")
    images = NoisyImages(1, sigma=25, dataroot_gt=str(tmp_path))
    patch = Patch(size=32, smallest=32, scale=1, hflip=False, rot=False, with_key=True)
    (batch,) = take(images, 1, patch)
    query, key = (x.float() - 128 for x in (batch.lq, batch.key))
    assert query.std() == pytest.approx(25, rel=0.05) and key.std() == pytest.approx(25, rel=0.05)
    assert abs(float((query * key).mean())) < 30
