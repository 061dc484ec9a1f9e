"""The losses of a network and of a discriminator that learns to see through it."""

from __future__ import annotations

from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor

from realsr_mtl.losses.base import LOSSES, Loss

GANType = Literal["vanilla", "lsgan", "wgan", "wgan_softplus", "hinge"]


@LOSSES.register()
class GANLoss(Loss):
    """Adversarial loss (Goodfellow et al., NeurIPS 2014), from the logits of a discriminator.

    A function of the logits z, averaged over those of a sample. What the network minimises is
    multiplied by loss_weight, what the discriminator minimises is not, as in BasicSR:

    | gan_type | discriminator, real | discriminator, restored | network |
    |---|---|---|---|
    | vanilla | ``bce(z, real)`` | ``bce(z, fake)`` | ``bce(z, real)`` |
    | lsgan | ``(z - real)^2`` | ``(z - fake)^2`` | ``(z - real)^2`` |
    | wgan | ``-z`` | ``z`` | ``-z`` |
    | wgan_softplus | ``log(1 + e^-z)`` | ``log(1 + e^z)`` | ``log(1 + e^-z)`` |
    | hinge | ``max(0, 1 - z)`` | ``max(0, 1 + z)`` | ``-z`` |

    where ``bce(z, v) = -v log sigma(z) - (1 - v) log(1 - sigma(z))``, real = real_label_val and
    fake = fake_label_val. ESRGAN's weight is 5e-3, Real-ESRGAN's 0.1, both vanilla.

    Shape: logits ``[B, ...]`` to float32 ``[B]``.

    Args:
        gan_type: a row of the table: Goodfellow et al., LSGAN (Mao et al., ICCV 2017), WGAN
            (Arjovsky et al., ICML 2017; it constrains the discriminator, which is not done here),
            StyleGAN2's (Karras et al., CVPR 2020), or hinge (Lim and Ye, 2017).
        real_label_val: what vanilla and lsgan want for real images.
        fake_label_val: what vanilla and lsgan want for restored images.
        start_iter: steps at the start without an adversarial term; BasicSR has none.
        ramp_iter: steps after them in which its weight grows evenly to the full one; BasicSR has
            none.
        weighted: whether the strategy's task weights act on it.
        gt_usm: where training sharpens HR images (the option ``gt_usm`` of the file), show the
            discriminator the sharpened ones as real.
    """

    compares = False
    """Whether logits count relative to those of the other kind of image."""

    def __init__(
        self,
        *,
        gan_type: GANType = "vanilla",
        real_label_val: float = 1.0,
        fake_label_val: float = 0.0,
        start_iter: int = 0,
        ramp_iter: int = 0,
        weighted: bool = False,
        gt_usm: bool = False,
        **others: Any,
    ) -> None:
        super().__init__(weighted=weighted, gt_usm=gt_usm, **others)
        if start_iter < 0 or ramp_iter < 0:
            raise ValueError(
                f"start_iter and ramp_iter must not be negative, found {start_iter}, {ramp_iter}"
            )
        self.gan_type = gan_type
        self.real_label_val, self.fake_label_val = real_label_val, fake_label_val
        self.start_iter, self.ramp_iter = start_iter, ramp_iter

    def factor(self, iteration: int) -> float:
        """Part of the weight that counts in the step after ``iteration`` steps, 0 to 1."""
        step = iteration + 1 - self.start_iter
        return min(max(step, 0) / max(self.ramp_iter, 1), 1.0)

    def generator(self, logits: Tensor, others: Tensor | None = None) -> Tensor:
        """``[B]`` for the network, with the factor.

        Args:
            logits: of what it restored.
            others: of the real images, without graph, where the loss `compares`.
        """
        return self.loss_weight * self.each(logits, logits if others is None else others)

    def discriminator(self, logits: Tensor, real: bool, others: Tensor | None = None) -> Tensor:
        """``[B]`` for the discriminator, without the factor.

        Args:
            logits: of real or of restored images.
            real: which of the two.
            others: of the other kind, without graph, where the loss `compares`.
        """
        logits = logits.float()
        toward = -logits if real else logits
        if self.gan_type == "hinge":
            return _mean(F.relu(1 + toward))
        if self.gan_type == "wgan":
            return _mean(toward)
        if self.gan_type == "wgan_softplus":
            return _mean(F.softplus(toward))
        label = self.real_label_val if real else self.fake_label_val
        if self.gan_type == "lsgan":
            return _mean((logits - label).square())
        # softplus(z) - v z is bce(z, v) for labels of any value
        return _mean(F.softplus(logits) - label * logits)

    def each(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``[B]`` for the network, without the factor; logits of the target play no part."""
        if self.gan_type == "hinge":
            return _mean(-prediction.float())
        return self.discriminator(prediction, real=True)


@LOSSES.register()
class RelativisticGANLoss(GANLoss):
    """GANLoss on logits less the mean logit of the other kind of image, as in ESRGAN.

    Relativistic average (Jolicoeur-Martineau, ICLR 2019): real images are to look more real than
    restored ones do on average, and the other way round. With ``r`` and ``f`` the logits of real
    and restored images and means over the batch of a process, the discriminator minimises half of
    ``D_real(r - mean f) + D_fake(f - mean r)``, the network half of
    ``D_fake(r - mean f) + D_real(f - mean r)``. The means tie the samples of a batch together.
    """

    compares = True

    def discriminator(self, logits: Tensor, real: bool, others: Tensor | None = None) -> Tensor:
        """``[B]`` for the discriminator, without the factor."""
        assert others is not None
        return super().discriminator(logits.float() - others.float().mean(), real) / 2

    def each(self, prediction: Tensor, target: Tensor) -> Tensor:
        """``[B]`` for the network, without the factor, of logits of restored and real images."""
        mine = self.discriminator(prediction, True, target)
        return mine + self.discriminator(target, False, prediction)


def _mean(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1).mean(1)
