from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from realsr_mtl.archs import AirNet, build_network, count_parameters
from realsr_mtl.errors import OptionError
from tests._inputs import photographs

TINY = {"num_feat": 8, "num_group": 2, "num_block": 1, "batch": 2}


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return AirNet(**{**TINY, **options})


def state(network):
    return {k: v.clone() for k, v in network.state_dict().items()}


def differing(first, second):
    return {k for k in first if not torch.equal(first[k], second[k])}


def randomised(seed=0, **options):
    """With offsets and masks, as training makes them."""
    network = tiny(seed, **options)
    for name, parameter in network.named_parameters():
        if "conv_offset_mask" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return network


def test_parameter_counts_and_keys_of_the_published_network():
    with torch.device("meta"):
        network = AirNet()
    assert count_parameters(network) == 8_930_313
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == 7_610_377
    assert count_parameters(network.R) == 6_290_441
    assert count_parameters(network.R) + count_parameters(network.E.E.encoder_q.E_pre) == 6_329_609
    shapes = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    for key, shape in {
        "R.head.0.weight": (64, 3, 3, 3),
        "R.body.4.body.4.dgm2.dcn.weight": (64, 64, 3, 3),
        "R.body.4.body.4.dgm2.dcn.conv_offset_mask.weight": (27, 128, 3, 3),
        "R.body.0.body.0.dgm1.sft.conv_gamma.2.weight": (64, 64, 1, 1),
        "R.body.0.body.5.bias": (64,),
        "R.body.5.weight": (64, 64, 3, 3),
        "R.tail.0.bias": (3,),
        "E.E.encoder_q.E_pre.shortcut.0.weight": (64, 3, 1, 1),
        "E.E.encoder_k.E.1.backbone.4.running_var": (256,),
        "E.E.encoder_q.mlp.2.weight": (256, 256),
        "E.E.queue": (256, 1280),
        "E.E.queue_ptr": (1,),
    }.items():
        assert shapes[key] == shape, key


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (17, 6)])
def test_any_size_and_a_batch_of_one_equals_the_batch(size):
    network = randomised().eval()
    images = photographs(3, *size)
    with torch.no_grad():
        restored = network(images)
        assert restored.shape == images.shape
        single = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(single, restored, rtol=1e-5, atol=1e-5)


def test_the_first_contrast_of_equal_crops_is_almost_certain():
    torch.manual_seed(0)
    network = AirNet(num_group=1, num_block=1)
    image = photographs(3, 12, 14)
    contrast = network.contrastive(image, image)
    assert contrast.features.shape == (3, 64, 12, 14)
    assert contrast.logits.shape == (3, 1 + 256 * 5)
    assert contrast.target.tolist() == [0, 0, 0]
    torch.testing.assert_close(contrast.logits[:, 0], torch.full((3,), 1 / 0.07))
    loss = F.cross_entropy(contrast.logits, contrast.target)
    assert loss.item() == pytest.approx(0.0012, abs=2e-4)


def test_logits_compare_with_the_queue_as_it_was():
    network = tiny(temperature=0.5).eval()
    encoder = network.E.E.encoder_q
    query, key = photographs(2, 9, 9), photographs(2, 9, 9, seed=7)
    contrast = network.contrastive(query, key)
    vectors = [
        F.normalize(encoder.mlp(encoder.E(encoder.E_pre(x)).flatten(1))) for x in (query, key)
    ]
    expected = torch.cat(
        [(vectors[0] * vectors[1]).sum(1, True), vectors[0] @ network.E.E.queue], 1
    )
    torch.testing.assert_close(contrast.logits, expected / 0.5)


def test_the_key_encoder_follows_before_it_sees_the_key():
    image = photographs(2, 9, 9)
    network = tiny(momentum=0.0)
    with torch.no_grad():
        for parameter in network.E.E.encoder_q.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    logits = network.contrastive(image, image).logits
    torch.testing.assert_close(logits[:, 0], torch.full((2,), 1 / 0.07))

    network = tiny()
    name = "E.1.backbone.0.weight"
    own, other = (e.get_parameter(name) for e in (network.E.E.encoder_k, network.E.E.encoder_q))
    with torch.no_grad():
        other.add_(1.0)
    before = own.clone()
    network.contrastive(image, image)
    torch.testing.assert_close(own, 0.999 * before + 0.001 * other)
    assert not own.requires_grad


def test_new_keys_replace_the_oldest_around_the_end_of_the_queue():
    network = tiny()
    contrast = network.E.E
    length = contrast.queue.shape[1]
    assert length == 512
    contrast.queue_ptr.fill_(length - 2)
    before = contrast.queue.clone()
    first = network.contrastive(photographs(3, 9, 9), photographs(3, 9, 9, seed=5))
    assert contrast.queue_ptr.tolist() == [1]
    replaced = (contrast.queue != before).any(0).nonzero()[:, 0].tolist()
    assert replaced == [0, length - 2, length - 1]
    torch.testing.assert_close(contrast.queue.norm(dim=0), torch.ones(length))
    second = network.contrastive(photographs(1, 9, 9), photographs(1, 9, 9, seed=5))
    assert contrast.queue_ptr.tolist() == [2]
    assert second.logits.shape == (1, 1 + length)
    F.cross_entropy(first.logits, first.target).backward()  # its keys were not overwritten


def test_gradients_reach_every_trainable_parameter_and_no_other():
    network = tiny()
    query, key = photographs(2, 12, 12), photographs(2, 12, 12, seed=9)
    restored, contrast = network(query, key)
    loss = F.l1_loss(restored, query) + 0.1 * F.cross_entropy(contrast.logits, contrast.target)
    loss.backward()
    reached = {n for n, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert reached == {n for n, p in network.named_parameters() if p.requires_grad}
    frozen = {n for n, p in network.named_parameters() if not p.requires_grad}
    assert frozen == {n for n, _ in network.named_parameters() if ".encoder_k." in n}


def test_the_image_alone_trains_restorer_and_first_block_of_the_encoder():
    network = tiny()
    before = state(network)
    network(photographs(2, 8, 8)).square().mean().backward()
    reached = {n for n, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert {n.split(".")[0] for n in reached} == {"R", "E"}
    assert {n for n in reached if n[0] == "E"} == {
        n for n, _ in network.named_parameters() if n.startswith("E.E.encoder_q.E_pre.")
    }
    changed = differing(before, network.state_dict())
    assert changed
    assert all(n.startswith("E.E.encoder_q.E_pre.") for n in changed)  # batch statistics


def test_query_and_key_in_one_call_are_contrast_and_restoration():
    first, second = randomised(), randomised()
    query, key = photographs(2, 9, 10), photographs(2, 9, 10, seed=3)
    restored, contrast = first(query, key)
    own = second.contrastive(query, key)
    assert torch.equal(contrast.logits, own.logits)
    assert torch.equal(restored, second.restore(query, own.features))
    assert differing(state(first), second.state_dict()) == set()


def test_evaluation_uses_the_query_encoder_only_and_changes_nothing():
    network = randomised().eval()
    query, key = photographs(2, 9, 10), photographs(2, 9, 10, seed=3)
    with torch.no_grad():
        restored = network(query)
        before = state(network)
        assert torch.equal(network(query, key)[0], restored)
        assert differing(before, network.state_dict()) == set()
        for name, value in network.state_dict().items():
            if not name.startswith(("R.", "E.E.encoder_q.E_pre.")):
                value.copy_(torch.rand(value.shape))
        assert torch.equal(network(query), restored)
    assert torch.equal(network.restore(query, network.encode(query)), restored)


def test_the_deformable_convolution_starts_as_half_a_plain_one():
    dcn = tiny().R.body[0].body[0].dgm1.dcn
    x, features = torch.randn(2, 2, 8, 7, 9)
    torch.testing.assert_close(dcn(x, features), 0.5 * F.conv2d(x, dcn.weight, padding=1))


def test_the_deformable_convolution_samples_where_its_offsets_say():
    torch.manual_seed(3)
    dcn = randomised().R.body[0].body[0].dgm1.dcn
    x, features = 2 * torch.randn(2, 2, 8, 6, 9)
    where = dcn.conv_offset_mask(torch.cat([x, features], 1))
    assert where[:, :18].abs().max() > 1
    y, x0 = torch.meshgrid(torch.arange(6.0), torch.arange(9.0), indexing="ij")
    expected = torch.zeros_like(x)
    for tap in range(9):
        rows = y + tap // 3 - 1 + where[:, 2 * tap]
        columns = x0 + tap % 3 - 1 + where[:, 2 * tap + 1]
        grid = torch.stack([2 * columns / 8 - 1, 2 * rows / 5 - 1], -1)
        sampled = F.grid_sample(x, grid, align_corners=True) * where[:, 18 + tap, None].sigmoid()
        expected += torch.einsum("oi,bihw->bohw", dcn.weight[..., tap // 3, tap % 3], sampled)
    torch.testing.assert_close(dcn(x, features), expected, rtol=1e-4, atol=1e-4)


def test_state_goes_round_with_the_queue():
    network, other = randomised(0), randomised(1)
    network.contrastive(photographs(2, 9, 9), photographs(2, 9, 9, seed=3))
    other.load_state_dict(network.state_dict())
    images = photographs(2, 9, 9), photographs(2, 9, 9, seed=4)
    assert torch.equal(network(*images)[0], other(*images)[0])
    assert torch.equal(network(*images)[1].logits, other(*images)[1].logits)
    assert other.E.E.queue_ptr.tolist() == [6]


def test_runs_in_half_precision():
    network = randomised().eval()
    images = photographs(2, 9, 10)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        restored, contrast = network(images, images)
    with torch.no_grad():
        torch.testing.assert_close(restored.float(), network(images), rtol=0.1, atol=0.05)
    assert contrast.logits.isfinite().all()
    network.train().contrastive(images, images)


def test_runs_in_double_precision():
    network, image = randomised().eval(), photographs(1, 9, 10)
    single = network(image)
    torch.testing.assert_close(network.double()(image.double()).float(), single)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"batch": 0}, "batch must be at least 1, found 0"),
        ({"momentum": 1.5}, "momentum must be between 0 and 1, found 1.5"),
        ({"temperature": 0.0}, "temperature must be above 0, found 0"),
    ],
)
def test_refuses_options_without_meaning(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        tiny(**options)


def test_is_built_for_scale_one_only():
    assert isinstance(build_network({"type": "AirNet", **TINY}, 1, seed=0), AirNet)
    with pytest.raises(OptionError, match="AirNet gives x1 but scale is 2"):
        build_network({"type": "AirNet", **TINY}, 2, seed=0)
