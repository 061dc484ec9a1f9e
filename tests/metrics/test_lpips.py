from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
import torch
import torchvision

from realsr_mtl.errors import UnavailableError, UserError
from realsr_mtl.metrics import LPIPS
from tests._inputs import photograph


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty folder in place of torch's cache of downloaded weights."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def metric(hub):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        backbone = torchvision.models.squeezenet1_1(weights=None)
    torch.save(backbone.state_dict(), hub / "squeezenet1_1-b8a52dc0.pth")
    return LPIPS(net="squeeze")


@pytest.mark.parametrize("net", ["alex", "vgg", "squeeze"])
def test_without_weights_the_command_that_fetches_them_is_named(hub, net):
    with pytest.raises(UnavailableError) as caught:
        LPIPS(net=net)
    assert f"lpips.LPIPS(net='{net}')" in str(caught.value)
    assert str(hub) in str(caught.value)


def test_distance(metric, capsys):
    a, b, c = photograph(40, 48), photograph(40, 48, seed=1), photograph(40, 48, seed=2)
    slightly = a.copy()
    slightly[::2] = (slightly[::2] // 8) * 8
    assert metric(a, a.copy()) == 0
    assert 0 < metric(a, slightly) < min(metric(a, b), metric(a, c))
    assert metric(a, b) == pytest.approx(metric(b, a), rel=1e-5)
    assert metric.better == "lower"
    assert capsys.readouterr().out == ""


def test_colour_order_is_rgb(metric):
    a, b = photograph(40, 48), photograph(40, 48, seed=1)
    x, y = (torch.from_numpy(i.copy()).permute(2, 0, 1)[None] / 127.5 - 1 for i in (a, b))
    with torch.no_grad():
        expected = metric._network(x, y).item()
    assert metric(a, b) == pytest.approx(expected, rel=1e-5)


def test_needs_enough_pixels_for_the_deepest_features(metric):
    small, enough = photograph(16, 40), photograph(17, 40)
    assert metric(enough, enough) == 0
    with pytest.raises(UserError, match="LPIPS with squeeze needs 17 pixels"):
        metric(small, small)


def test_warning_filters_are_left_as_they_were(hub, metric):
    before = list(warnings.filters)
    LPIPS(net="squeeze")
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="still heard"):
        warnings.warn("still heard", UserWarning, stacklevel=1)


class Code:
    def __reduce__(self):
        return os.mkdir, ("broken-in",)


def test_weights_with_code_are_refused_and_not_run(hub):
    torch.save({"features.0.weight": Code()}, hub / "squeezenet1_1-b8a52dc0.pth")
    with pytest.raises(UserError, match="read safely"):
        LPIPS(net="squeeze")
    assert not Path("broken-in").exists()
