from __future__ import annotations

import errno
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from realsr_mtl.errors import UserError
from realsr_mtl.training.checkpoints import (
    network_content,
    newest_checkpoint,
    read_state,
    remove_old,
    save_atomically,
    weights_beside,
)
from realsr_mtl.training.run_folder import RunFolder


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pth"
    save_atomically({"x": torch.ones(2)}, path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"a\.pth"):
        save_atomically({"x": torch.zeros(2)}, path)
    assert torch.load(path)["x"].tolist() == [1, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["a.pth"]


def test_content_has_basicsrs_keys() -> None:
    network, average = nn.Linear(2, 2), nn.Linear(2, 2)
    assert set(network_content(network, None)) == {"params"}
    content = network_content(network, average)
    assert torch.equal(content["params_ema"]["weight"], average.weight)


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_a_file_that_is_no_state_gets_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "5.state"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"5\.state"):
        read_state(path)


def test_a_weight_file_is_no_state(tmp_path: Path) -> None:
    save_atomically({"params": {}}, tmp_path / "x.pth")
    with pytest.raises(UserError, match="lacks iter, optimizers"):
        read_state(tmp_path / "x.pth")


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", tmp_path / "tb")
    folder.create(resume=False)
    for iteration in (5, 10, 100):
        folder.state(iteration).touch()
        folder.weights(iteration).touch()
    folder.weights("best_psnr").touch()
    remove_old(folder, keep=0)
    assert folder.iterations() == [5, 10, 100]
    remove_old(folder, keep=2)
    assert folder.iterations() == [10, 100]
    names = sorted(p.name for p in folder.models.iterdir())
    assert names == ["net_g_10.pth", "net_g_100.pth", "net_g_best_psnr.pth"]
    assert weights_beside(folder.state(10), 10) == folder.weights(10).resolve()


def _checkpoint(folder: RunFolder, iteration: int, judged: bool = False) -> None:
    optimizers: list[Any] = [{}, {}] if judged else [{}]
    for label in (iteration,):
        save_atomically({"params": {"w": torch.ones(1000)}}, folder.weights(label))
        if judged:
            save_atomically({"params": {"w": torch.ones(1000)}}, folder.discriminator(label))
    save_atomically({"iter": iteration, "optimizers": optimizers}, folder.state(iteration))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _flip(file: Path) -> None:
    code = bytearray(file.read_bytes())
    code[code.index(b"\x80\x3f\x00\x00\x80\x3f") + 40] ^= 1  # among the ones
    file.write_bytes(bytes(code))


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize(
    ("which", "damage", "reason"),
    [
        ("state", _cut, r"20\.state' is cut short or damaged"),
        ("state", _empty, r"20\.state' is cut short or damaged"),
        ("weights", _cut, r"net_g_20\.pth' is cut short or damaged"),
        ("weights", _flip, r"net_g_20\.pth' is damaged: the checksum of .* is wrong"),
        ("weights", Path.unlink, r"net_g_20\.pth', the weights of .*20\.state', is missing"),
        ("discriminator", Path.unlink, r"net_d_20\.pth', the weights of .*, is missing"),
    ],
)
def test_an_incomplete_checkpoint_is_named_and_the_one_before_it_taken(
    which: str, damage: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run", tmp_path / "tb")
    folder.create(resume=False)
    assert newest_checkpoint(folder) == (None, [])
    for iteration in (5, 20):
        _checkpoint(folder, iteration, judged=True)
    assert newest_checkpoint(folder) == (folder.state(20), [])
    damage(getattr(folder, which)(20))
    found, reasons = newest_checkpoint(folder)
    assert found == folder.state(5)
    assert len(reasons) == 1 and re.search(reason, reasons[0])
    _cut(folder.state(5))
    with pytest.raises(UserError, match=f"no checkpoint in .* is complete .*{reason}"):
        newest_checkpoint(folder)


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("broken-in",)


@pytest.mark.parametrize("how", ["zip", "legacy", "pickle"])
def test_a_state_with_code_is_refused_and_not_run(how: str) -> None:
    content = {"iter": 1, "optimizers": [Code()]}
    if how == "pickle":
        Path("1.state").write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, "1.state", _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(UserError, match=r"'1\.state' cannot be read as a training state"):
        read_state(Path("1.state"))
    assert not Path("broken-in").exists()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_state_that_is_cut_short_is_refused(share: float) -> None:
    save_atomically({"iter": 1, "optimizers": [], "x": torch.ones(1000)}, Path("1.state"))
    code = Path("1.state").read_bytes()
    Path("1.state").write_bytes(code[: int(share * len(code))])
    with pytest.raises(UserError, match=r"1\.state"):
        read_state(Path("1.state"))
