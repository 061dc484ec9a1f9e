"""Several losses together, sample by sample."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from realsr_mtl.archs import Contrast
from realsr_mtl.losses import ContrastiveLoss, GANLoss, L1Loss, MSELoss
from realsr_mtl.training.loss_terms import LossTerms, Restored, StepLosses

NAMES = ["rain", "haze"]
TASK = torch.tensor([0, 1, 1, 0])
OUTPUT = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 2, 2) / 10
WHOLE = Restored(OUTPUT, torch.zeros_like(OUTPUT), torch.arange(4))
CONTRAST = Contrast(torch.zeros(0), torch.zeros(4, 3), torch.zeros(4, dtype=torch.long))


def _close(found: torch.Tensor | None, expected: list[float]) -> None:
    assert found is not None
    torch.testing.assert_close(found, torch.tensor(expected, dtype=found.dtype))


def test_what_is_weighed_and_what_stands_beside_it():
    terms = LossTerms(
        {
            "pix": L1Loss(),
            "mse": MSELoss(loss_weight=10, tasks=("haze",)),
            "soft": L1Loss(loss_weight=0.5, tasks=("rain",), weighted=False),
        },
        NAMES,
    )
    losses = terms([WHOLE], TASK, None)
    _close(losses.weighted, [0.0, 0.1 + 0.1, 0.2 + 0.4, 0.3])
    _close(losses.beside, [0.0, 0.0, 0.0, 0.15])
    _close(losses.total, [0.0, 0.2, 0.6, 0.45])
    _close(losses.values.sum(1), [0.6, 0.5, 0.15])
    assert losses.counts.tolist() == [4, 2, 2]
    assert terms.names == ["pix", "mse", "soft"] and losses.by_strategy


def test_parts_come_back_in_the_order_of_the_batch():
    parts = [
        Restored(OUTPUT[[3, 0]], torch.zeros(2, 3, 2, 2), torch.tensor([3, 0])),
        Restored(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4), torch.tensor([1, 2])),
    ]
    losses = LossTerms({"a": L1Loss(tasks=("rain",)), "b": MSELoss(tasks=("haze",))}, NAMES)(
        parts, TASK, None
    )
    _close(losses.weighted, [0.0, 1.0, 1.0, 0.3])


def test_gradients_reach_the_samples_of_the_loss_alone():
    output = OUTPUT.clone().requires_grad_()
    terms = LossTerms({"pix": L1Loss(), "b": L1Loss(tasks=("haze",))}, NAMES)
    part = Restored(output, torch.full_like(output, -1), torch.arange(4))
    terms([part], TASK, None).weighted.sum().backward()
    assert output.grad is not None
    _close(output.grad.sum((1, 2, 3)), [1, 2, 2, 1])


def test_the_contrast_alone_and_beside_the_restoration():
    contrastive = ContrastiveLoss(encoder_iter=7)
    terms = LossTerms({"pix": L1Loss(), "contrast": contrastive}, NAMES)
    assert terms.needs_key and terms.encoder_iter == 7
    alone, third = terms([], TASK, CONTRAST), float(torch.tensor(3.0).log())
    _close(alone.weighted, [third] * 4)  # the published stage has no factor
    assert alone.beside is None and not alone.by_strategy
    assert alone.counts.tolist() == [0, 4]
    both = terms([WHOLE], TASK, CONTRAST)
    _close(both.weighted, [0, 0.1, 0.2, 0.3])
    _close(both.beside, [0.1 * third] * 4)
    without = terms([WHOLE], TASK, None)
    assert without.beside is None and without.counts.tolist() == [4, 0]
    assert not LossTerms({"pix": L1Loss()}, NAMES).needs_key


def test_parts_of_a_batch_are_joined():
    terms = LossTerms({"pix": L1Loss(), "soft": MSELoss(weighted=False)}, NAMES)
    where = [torch.tensor([3, 1]), torch.tensor([], dtype=torch.long), torch.tensor([0, 2])]
    parts = [
        terms([Restored(OUTPUT[w], torch.zeros_like(OUTPUT[w]), torch.arange(2))], TASK[w], None)
        if len(w)
        else None
        for w in where
    ]
    whole, joined = terms([WHOLE], TASK, None), StepLosses.joined(parts, where, 4)
    torch.testing.assert_close(joined.weighted, whole.weighted)
    torch.testing.assert_close(joined.beside, whole.beside)
    torch.testing.assert_close(joined.values, whole.values)
    assert joined.counts.tolist() == whole.counts.tolist()


def test_losses_that_do_not_fit_the_tasks():
    with pytest.raises(ValueError, match="the loss 'a' names the task 'snow'; there are: rain, h"):
        LossTerms({"a": L1Loss(tasks=("snow",))}, NAMES)
    with pytest.raises(ValueError, match="task 'haze' has no loss that the strategy could weigh"):
        LossTerms({"a": L1Loss(tasks=("rain",)), "b": L1Loss(weighted=False)}, NAMES)


def test_losses_that_look_at_another_network_are_left_out_without_it():
    losses = {"pix": L1Loss(), "gan": GANLoss(), "ldl": L1Loss(weighted=False)}
    terms = LossTerms(losses, NAMES, refined=("ldl",))
    assert terms.needs_average and terms.adversarial is losses["gan"]
    alone = terms([WHOLE], TASK)
    assert alone.beside is None and alone.counts.tolist() == [4, 0, 0]
    large = torch.ones(4, 3, 8, 8)
    seen = Restored(large, 0 * large, torch.arange(4), average=large / 2)
    whole = terms([seen], TASK, judge=lambda images: images.flatten(1).mean(1, keepdim=True))
    assert whole.beside is not None and whole.counts.tolist() == [4, 4, 4]


def test_a_loss_says_which_target_it_compares_with():
    sharp = dataclasses.replace(WHOLE, target=WHOLE.target + 1, plain=WHOLE.target)
    terms = LossTerms({"a": L1Loss(), "b": L1Loss(gt_usm=False)}, NAMES)
    _close(terms([sharp], TASK).weighted, [1.0, 1.0, 1.0, 1.0])  # (1 - x) + x
