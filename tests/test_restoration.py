from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realsr_mtl.archs import build_network
from realsr_mtl.config.writer import format_yaml
from realsr_mtl.errors import UserError
from realsr_mtl.evaluation.images import write_image
from realsr_mtl.restoration import Restorer, restore
from tests._inputs import photograph

BLOCK = {"type": "SRVGGNetCompact", "num_feat": 4, "num_conv": 1, "upscale": 2}
HEADS = {
    "type": "TaskHeads",
    "trunk": {"type": "MSRResNet", "num_feat": 4, "num_block": 1, "upscale": 1},
    "heads": {"small": {"scale": 2}, "noise": {"scale": 1}},
}
RGB = photograph(12, 17)
WEIGHTS = Path("experiments/run/models/net_g_latest.pth")


def trained(block: dict[str, Any] = BLOCK, scale: int = 2, config: bool = True) -> Path:
    """A run folder; the average is another network than the last weights."""
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    last, average = (build_network(block, scale, seed).state_dict() for seed in (0, 1))
    torch.save({"params": last, "params_ema": average}, WEIGHTS)
    if config:
        text = format_yaml({"name": "run", "scale": scale, "network_g": block})
        Path("experiments/run/config.yml").write_text(text)
    return WEIGHTS


def expected(image: np.ndarray) -> np.ndarray:
    network = build_network(BLOCK, 2, 1).eval()
    with torch.no_grad():
        out = network(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)[0]
    return (out.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("checkpoint", ["experiments/run", WEIGHTS, str(WEIGHTS.absolute().name)])
def test_a_run_knows_its_network(checkpoint: str | Path) -> None:
    weights = trained()
    if checkpoint == WEIGHTS.name:
        weights.rename(weights.with_name("net_g_5.pth"))
        checkpoint = weights.with_name("net_g_5.pth")
    assert np.array_equal(restore(RGB, checkpoint), expected(RGB))


def test_a_weight_file_alone_needs_a_network() -> None:
    weights = trained(config=False)
    assert np.array_equal(restore(RGB, weights, network=BLOCK, scale=2), expected(RGB))
    with pytest.raises(UserError, match="needs a scale"):
        Restorer(weights, network=BLOCK)
    with pytest.raises(UserError, match="gives x2 but scale is 4"):
        Restorer(weights, network=BLOCK, scale=4)


def test_published_architectures_are_recognised() -> None:
    block = {"type": "RRDBNet", "num_feat": 16, "num_block": 1}
    torch.save({"params_ema": build_network(block, 4, 1).state_dict()}, "RealESRGAN.pth")
    restorer = Restorer("RealESRGAN.pth")
    assert restorer.scale == 4
    own = Restorer("RealESRGAN.pth", network=block, scale=4)
    assert np.abs(restorer(RGB).astype(int) - own(RGB)).max() <= 1
    torch.save({"some.weight": torch.zeros(3)}, "unknown.pth")
    with pytest.raises(UserError, match=r"unknown\.pth'.*give network and scale"):
        Restorer("unknown.pth")
    with pytest.raises(UserError, match=r"absent\.pth' does not exist"):
        Restorer("absent.pth")


def test_config_files_of_others_are_left_alone() -> None:
    trained(config=False)
    Path("experiments/run/config.yml").write_text("model: x\n")
    assert np.abs(restore(RGB, WEIGHTS).astype(int) - expected(RGB)).max() <= 1  # by spandrel


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 1), (9, 8, 2), (9, 8, 3), (9, 8, 4)])
def test_the_result_is_of_the_same_kind(dtype: type, shape: tuple[int, ...]) -> None:
    peak = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    image = (np.random.default_rng(0).random(shape) * peak).astype(dtype)
    before = image.copy()
    out = restore(image, trained())
    assert out.dtype == image.dtype
    assert out.shape == (18, 16, *shape[2:])
    assert out.max() <= peak
    assert np.array_equal(image, before)


def test_sixteen_bits_are_used() -> None:
    deep = RGB.astype(np.uint16) * 257
    out = restore(deep, trained())
    assert np.abs(out / 257 - restore(RGB, WEIGHTS)).max() <= 0.51
    assert len(np.unique(out % 257)) > 100


def test_views_and_other_byte_orders() -> None:
    restorer = Restorer(trained())
    assert np.array_equal(restorer(RGB[::-1, ::2]), restorer(RGB[::-1, ::2].copy()))
    deep = RGB.astype(np.uint16) * 257
    assert np.array_equal(restorer(deep.astype(">u2")), restorer(deep))


def test_files_keep_grey_and_alpha() -> None:
    restorer = Restorer(trained())
    for image in (RGB, RGB[..., 0], np.dstack((RGB, RGB[..., 1]))):
        write_image(Path("a.png"), image)
        assert np.array_equal(restorer("a.png"), restorer(image))
    with pytest.raises(UserError, match=r"'b\.png' cannot be read"):
        restorer(Path("b.png"))


def test_options_of_inference() -> None:
    assert restore(RGB, trained(), outscale=1.5).shape == (18, 26, 3)
    with pytest.raises(UserError, match="fp16 needs a GPU"):
        Restorer(WEIGHTS, device="cpu", precision="fp16")


def test_a_network_with_heads_needs_a_task() -> None:
    weights = trained(HEADS)
    assert restore(RGB, weights, task="small").shape == (24, 34, 3)
    assert restore(RGB, weights, task="noise").shape == (12, 17, 3)
    with pytest.raises(UserError, match="give the task, one of small, noise"):
        Restorer(weights)
    with pytest.raises(UserError, match="'rain' has no head"):
        Restorer(weights, task="rain")


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros(5, np.uint8), r"\[H, W\].*found \(5,\)"),
        (np.zeros((5, 5, 5), np.uint8), r"found \(5, 5, 5\)"),
        (np.zeros((0, 5), np.uint8), r"found \(0, 5\)"),
        (np.zeros((5, 5), np.int64), "found int64"),
        (np.full((5, 5), 255.0), "found 255 to 255; divide it"),
        (np.full((5, 5), np.nan), "found nan"),
    ],
)
def test_what_is_no_image_is_refused(image: np.ndarray, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        restore(image, trained())


def test_global_switches_come_back() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        restore(RGB, trained())
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
