from __future__ import annotations

from pathlib import Path

from realsr_mtl.training.run_folder import RunFolder
from tests._options import tiny


def _folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "experiments" / "a", tmp_path / "tb" / "a")


def test_paths_follow_the_options() -> None:
    options = tiny(path={"experiments_root": "runs", "tb_root": "events"}).options
    folder = RunFolder.of(options)
    assert folder.root == Path("runs/tiny")
    assert folder.tensorboard == Path("events/tiny")
    assert folder.weights("latest") == Path("runs/tiny/models/net_g_latest.pth")
    assert folder.state(12) == Path("runs/tiny/training_states/12.state")


def test_an_earlier_run_is_archived_unless_it_is_resumed(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    folder.create(resume=False)
    folder.state(5).touch()
    folder.create(resume=True)
    assert folder.iterations() == [5]
    folder.create(resume=False)
    assert folder.iterations() == []
    (archived,) = (tmp_path / "experiments").glob("a_archived_*")
    assert (archived / "training_states" / "5.state").exists()


def test_iterations_are_numbers_in_order(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert folder.iterations() == []
    folder.create(resume=False)
    for name in ("900.state", "1000.state", ".2000.state.part", "notes.state"):
        (folder.states / name).touch()
    assert folder.iterations() == [900, 1000]
    folder.create(resume=True)
    assert not (folder.states / ".2000.state.part").exists()


def test_a_resumed_run_does_not_leave_later_states_in_the_way(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    folder.create(resume=False)
    for iteration in (500, 600, 1000):
        folder.state(iteration).touch()
        folder.weights(iteration).touch()
    folder.set_aside_after(500)
    assert folder.iterations() == [500]
    names = sorted(p.name for p in folder.models.iterdir())
    assert names == ["net_g_1000.pth.superseded", "net_g_500.pth", "net_g_600.pth.superseded"]
