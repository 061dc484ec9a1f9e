from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from torch import nn

from realsr_mtl.errors import UserError
from realsr_mtl.training.checkpoints import (
    network_content,
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
