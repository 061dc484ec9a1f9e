from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.archs import TransWeather, build_network, count_parameters
from realsr_mtl.errors import OptionError
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients

TINY = {
    "embed_dims": (8, 16, 24, 32),
    "depths": (1, 1, 1, 1),
    "decoder_depth": 1,
    "num_queries": 6,
    "drop_path": 0.0,
}


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return TransWeather(**{**TINY, **options})


@pytest.fixture(scope="module")
def shapes_only():
    with torch.device("meta"):
        return TransWeather().eval()


def test_parameter_counts_and_keys_of_the_published_network(shapes_only):
    network = shapes_only
    assert count_parameters(network) == 37_755_411
    assert count_parameters(network.Tenc) == 15_961_856
    assert count_parameters(network.Tdec) == 11_954_176
    assert count_parameters(network.convtail) + count_parameters(network.clean) == 9_839_379
    mains = [count_parameters(getattr(network.Tenc, f"block{stage}")) for stage in (1, 2, 3, 4)]
    assert mains == [200_960, 401_920, 2_479_360, 4_226_048]
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    for key, shape in {
        "Tenc.patch_embed1.proj.weight": (64, 3, 7, 7),
        "Tenc.mini_patch_embed3.norm.weight": (512,),
        "Tenc.block1.1.attn.sr.weight": (64, 64, 4, 4),
        "Tenc.patch_block2.0.mlp.dwconv.dwconv.weight": (640, 1, 3, 3),
        "Tenc.pnorm1.weight": (128,),
        "Tenc.block4.1.attn.kv.weight": (1024, 512),
        "Tdec.patch_embed1.proj.weight": (512, 512, 3, 3),
        "Tdec.block1.2.attn.task_query": (1, 48, 512),
        "Tdec.block1.0.mlp.fc1.weight": (2048, 512),
        "convtail.convd16x.conv2d.weight": (512, 320, 4, 4),
        "convtail.dense_1.0.conv2.conv2d.weight": (16, 16, 3, 3),
        "clean.conv2d.weight": (3, 8, 3, 3),
    }.items():
        assert shapes[key] == shape, key


@pytest.mark.parametrize(
    ("side", "sides", "decoded"), [(256, [64, 32, 16, 8], 4), (400, [100, 50, 25, 13], 7)]
)
def test_maps_of_the_published_network(shapes_only, side, sides, decoded):
    network, image = shapes_only, torch.empty(2, 3, side, side, device="meta")
    maps = network.Tenc(image)
    found = [tuple(m.shape) for m in maps]
    assert found == [(2, c, s, s) for c, s in zip((64, 128, 320, 512), sides, strict=True)]
    assert network.Tdec(maps[3]).shape == (2, 512, decoded, decoded)
    assert network(image).shape == image.shape


def test_drop_rates_of_the_published_network(shapes_only):
    rates = {n: m.rate for n, m in shapes_only.named_modules() if n.endswith("drop_path")}
    mains = [rates[f"Tenc.block{s}.{i}.drop_path"] for s in (1, 2, 3, 4) for i in (0, 1)]
    assert mains == pytest.approx([0.1 * i / 7 for i in range(8)])
    inner = [rates[f"Tenc.patch_block{s}.0.drop_path"] for s in (1, 2, 3)]
    assert inner == pytest.approx([0, 0.0286, 0.0571], abs=1e-4)
    decoder = [rates[f"Tdec.block1.{i}.drop_path"] for i in range(3)]
    assert decoder == pytest.approx([0, 0.0067, 0.0133], abs=1e-4)


def test_initial_weights():
    torch.manual_seed(0)
    encoder = TransWeather(embed_dims=(64, 64, 64, 64), depths=(1, 1, 1, 1)).Tenc
    assert encoder.block1[0].attn.q.weight.std().item() == pytest.approx(0.02, rel=0.05)
    embedding = encoder.patch_embed2.proj
    assert embedding.weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.05)
    depthwise = encoder.block1[0].mlp.dwconv.dwconv
    assert depthwise.weight.std().item() == pytest.approx((2 / 9) ** 0.5, rel=0.1)
    assert not any(m.bias.any() for m in (encoder.block1[0].attn.q, embedding, depthwise))


@pytest.mark.parametrize("batch", [1, 2])
def test_every_parameter_of_the_published_network_gets_a_gradient(batch):
    torch.manual_seed(0)
    # more than one pixel for the queries: attention to a single one does not depend on them
    assert_all_gradients(TransWeather(drop_path=0.0), photographs(batch, 64, 128))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (33, 70), (48, 80), (64, 64), (100, 140)])
def test_any_size_and_a_batch_of_one_equals_the_batch(size):
    network = tiny(drop_path=0.5).eval()
    images = photographs(2, *size)
    with torch.no_grad():
        restored = network(images)
        assert restored.shape == images.shape
        assert restored.abs().max() < 1
        single = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(single, restored, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((48, 80), (48, 80)),
        ((64, 96), (64, 96)),
        ((32, 64), (64, 64)),
        ((64, 72), (64, 128)),
        ((10, 70), (64, 128)),
    ],
)
def test_other_sizes_are_reflected_to_multiples_of_64(size, seen):
    network = tiny().eval()
    images = photographs(1, *size)
    given = []
    network.Tenc.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    network(images)
    (image,) = given
    assert image.shape[-2:] == seen
    height, width = size
    torch.testing.assert_close(image[..., :height, :width], 2 * images - 1)
    rows = min(seen[0] - height, height - 1)
    below = image[..., height : height + rows, :width]
    assert torch.equal(below, image[..., height - 1 - rows : height - 1, :width].flip(-2))
    beside = image[..., width:]
    assert torch.equal(beside, image[..., 2 * width - seen[1] - 1 : width - 1].flip(-1))


@pytest.mark.parametrize(("stage", "heads", "reduction"), [(1, 1, 4), (2, 2, 2), (4, 4, 1)])
def test_attention_is_that_of_torch(stage, heads, reduction):
    attention = getattr(tiny().Tenc, f"block{stage}")[0].attn
    dim = attention.q.in_features
    x = torch.randn(2, 4, 8, dim)
    source = x
    if reduction > 1:
        source = attention.norm(attention.sr(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
    key, value = attention.kv(source).flatten(1, 2).split(dim, -1)
    parts = [
        part.view(2, -1, heads, dim // heads).transpose(1, 2)
        for part in (attention.q(x).flatten(1, 2), key, value)
    ]
    attended = F.scaled_dot_product_attention(*parts).transpose(1, 2).reshape(x.shape)
    torch.testing.assert_close(attention(x), attention.proj(attended), rtol=1e-4, atol=1e-5)


def test_learned_queries_are_repeated_over_the_pixels():
    attention = tiny().Tdec.block1[0].attn
    own = attention.q(attention.task_query)[0].view(6, 8, 4)
    for height, width, chosen in [(1, 3, [0, 2, 4]), (3, 4, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])]:
        queries = attention._queries(torch.zeros(2, height, width, 32))
        assert torch.equal(queries[0], own[chosen].transpose(0, 1))


def test_stochastic_depth_leaves_branches_of_random_samples_out():
    network = tiny(drop_path=0.5)
    drop = network.Tenc.block4[0].drop_path
    assert drop.rate == 0.5
    torch.manual_seed(0)
    out = drop(torch.ones(400, 1, 1, 2))
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(out[..., 0], out[..., 1])
    assert out.mean().item() == pytest.approx(1, abs=0.2)
    assert torch.equal(drop.eval()(torch.ones(3, 1, 1, 2)), torch.ones(3, 1, 1, 2))


def test_state_goes_round():
    network, other = tiny(0).eval(), tiny(1).eval()
    image = photographs(1, 48, 64)
    assert not torch.equal(network(image), other(image))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(image), other(image))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"embed_dims": (8, 16, 24, 36)}, "36 features cannot be split into 8 heads"),
        ({"depths": (1, 0, 1, 1)}, r"depths must be at least 1, found \[1, 0, 1, 1\]"),
        ({"drop_path": 1.0}, "drop_path must be at least 0 and below 1, found 1.0"),
    ],
)
def test_refuses_options_without_meaning(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tiny(**options)


def test_is_built_for_scale_one_only():
    block = {"type": "TransWeather", **TINY, "embed_dims": [8, 16, 24, 32]}
    assert isinstance(build_network(block, 1, seed=0), TransWeather)
    with pytest.raises(OptionError, match="TransWeather gives x1 but scale is 4"):
        build_network(block, 4, seed=0)
