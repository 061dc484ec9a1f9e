from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.archs import PromptIR, build_network, count_parameters
from realsr_mtl.errors import OptionError
from tests._inputs import photographs
from tests.archs._asserts import assert_all_gradients

TINY = {
    "dim": 8,
    "num_blocks": (1, 1, 1, 1),
    "num_refinement_blocks": 1,
    "heads": (1, 2, 4, 8),
    "prompt_dims": (8, 12, 16),
    "prompt_sizes": (6, 5, 4),
    "prompt_len": 3,
}


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return PromptIR(**{**TINY, **options})


def test_parameter_count_and_keys_of_the_published_network():
    with torch.device("meta"):
        network = PromptIR()
    unused = 64 * 64 + 128 * 128 + 320 * 256  # chnl_reduce1 to 3
    unused += 48 * (48 + 64) + 96 * (96 + 128) + 192 * (192 + 256)  # reduce_noise_channel_1 to 3
    assert count_parameters(network) + unused == 35_592_263
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    for key, shape in {
        "patch_embed.proj.weight": (48, 3, 3, 3),
        "encoder_level1.3.norm1.body.weight": (48,),
        "encoder_level2.0.attn.temperature": (2, 1, 1),
        "encoder_level3.5.attn.qkv_dwconv.weight": (576, 1, 3, 3),
        "latent.7.ffn.project_in.weight": (2042, 384, 1, 1),
        "down1_2.body.0.weight": (24, 48, 3, 3),
        "up4_3.body.0.weight": (384, 192, 3, 3),
        "prompt1.prompt_param": (1, 5, 64, 64, 64),
        "prompt3.linear_layer.weight": (5, 384),
        "prompt2.conv3x3.weight": (128, 128, 3, 3),
        "noise_level2.attn.temperature": (4, 1, 1),
        "reduce_noise_level3.weight": (192, 704, 1, 1),
        "reduce_chan_level2.weight": (96, 192, 1, 1),
        "decoder_level1.3.attn.qkv.weight": (288, 96, 1, 1),
        "refinement.3.norm2.body.bias": (96,),
        "output.weight": (3, 96, 3, 3),
    }.items():
        assert shapes[key] == shape, key


@pytest.mark.parametrize("size", [(1, 1), (8, 16), (13, 21)])
def test_any_size_and_a_batch_of_one_equals_the_batch(size):
    network = tiny()
    images = photographs(2, *size)
    with torch.no_grad():
        restored = network(images)
        assert restored.shape == images.shape
        single = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(single, restored, rtol=1e-5, atol=1e-5)


def test_other_sizes_are_reflected_to_multiples_of_8():
    network = tiny()
    image = photographs(1, 13, 16)
    extended = torch.cat([image, image[..., 9:12, :].flip(-2)], -2)
    torch.testing.assert_close(network(image), network(extended)[..., :13, :])


def test_gradients_and_start():
    network = tiny()
    image = photographs(2, 16, 24)
    assert_all_gradients(network, image)
    torch.nn.init.zeros_(network.output.weight)
    assert torch.equal(network(image), image)


def test_attention_between_channels_is_that_of_torch():
    attention = tiny().encoder_level3[0].attn
    torch.nn.init.uniform_(attention.temperature, 0.5, 2)
    x = torch.randn(2, 32, 5, 6)
    parts = attention.qkv_dwconv(attention.qkv(x)).view(2, 3, 4, 8, 30).unbind(1)
    query = F.normalize(parts[0], dim=-1) * attention.temperature
    key = F.normalize(parts[1], dim=-1)
    attended = F.scaled_dot_product_attention(query, key, parts[2], scale=1.0)
    expected = attention.project_out(attended.reshape(x.shape))
    torch.testing.assert_close(attention(x), expected, rtol=1e-4, atol=1e-5)


def test_a_prompt_is_a_mixture_chosen_by_the_mean_features():
    prompt = tiny().prompt2
    x = torch.randn(2, 32, 7, 9)
    weights = prompt.linear_layer(x.mean((2, 3))).softmax(1)
    maps = F.interpolate(prompt.prompt_param[0], (7, 9), mode="bilinear")
    mixed = (weights[:, :, None, None, None] * maps).sum(1)
    torch.testing.assert_close(prompt(x), prompt.conv3x3(mixed))
    torch.nn.init.zeros_(prompt.linear_layer.weight)
    with torch.no_grad():
        prompt.linear_layer.bias.copy_(torch.tensor([0.0, 200.0, 0.0]))
    torch.testing.assert_close(prompt(x), prompt.conv3x3(maps[1:2]).expand(2, -1, -1, -1))


def test_the_stored_prompts_change_memory_format_and_type_with_the_network():
    network, image = tiny(), photographs(1, 8, 8)
    before = network(image)
    shape = network.prompt1.prompt_param.shape
    network.to(memory_format=torch.channels_last)
    assert network.prompt1.prompt_param.shape == shape
    torch.testing.assert_close(network(image), before)
    assert network.double().prompt1.prompt_param.dtype == torch.float64


def test_state_goes_round():
    network, other = tiny(0), tiny(1)
    image = photographs(1, 8, 16)
    assert not torch.equal(network(image), other(image))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(image), other(image))


def test_refuses_heads_that_do_not_divide_the_features():
    with pytest.raises(ValueError, match="30 features cannot be split into 4 heads"):
        tiny(prompt_dims=(14, 12, 16))


def test_is_built_for_scale_one_only():
    block = {"type": "PromptIR", **TINY, "heads": [1, 2, 4, 8]}
    assert isinstance(build_network(block, 1, seed=0), PromptIR)
    with pytest.raises(OptionError, match="PromptIR gives x1 but scale is 4"):
        build_network(block, 4, seed=0)
