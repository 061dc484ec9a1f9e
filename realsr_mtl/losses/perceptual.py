"""The distance of images in the features of a VGG network."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from realsr_mtl.losses.base import LOSSES
from realsr_mtl.losses.network import NetworkLoss
from realsr_mtl.losses.vgg import VGGFeatures, VGGType

Criterion = Literal["l1", "l2", "fro"]


@LOSSES.register()
class PerceptualLoss(NetworkLoss):
    """Perceptual (Johnson et al., ECCV 2016) and style loss (Gatys et al., CVPR 2016).

    With the features ``f_l`` of layer l, ``[C, h, w]``, and their Gram matrix ``G_l = F F^T / (C h
    w)`` for ``F = f_l`` as ``[C, h w]``, both of prediction x and target y, for each sample:

    ``perceptual_weight * sum_l w_l d(f_l(x), f_l(y)) + style_weight * sum_l w_l d(G_l(x), G_l(y))``

    Keys, defaults and, for l1, values are BasicSR's (its mean over the batch is the mean of ours);
    its l2 fails there. Its fro is one norm of the whole batch, which grows with the batch and has
    no part for each sample; ours is the norm of each sample, the same for a batch of one.

    ESRGAN (Wang et al., ECCVW 2018) takes ``conv5_4: 1``, Real-ESRGAN (Wang et al., ICCVW 2021)
    ``conv1_2: 0.1, conv2_2: 0.1, conv3_4: 1, conv4_4: 1, conv5_4: 1``, both before the activation,
    of vgg19 with l1. TransWeather (Valanarasu et al., CVPR 2022) takes the mean over ``relu1_2,
    relu2_2, relu3_3`` of vgg16 with l2 and no input norm: weights of 1/3, and a loss_weight of
    0.04.

    Args:
        layer_weights: ``w_l`` by layer, e.g. ``{conv5_4: 1}``: conv, bn (of the _bn kinds), relu
            with stage and place, pool with the stage.
        vgg_type: which network.
        use_input_norm: normalise images in [0, 1] with the mean and deviation of ImageNet.
        range_norm: images are in [-1, 1]; move them to [0, 1] first.
        perceptual_weight: of the features; 0 leaves them out.
        style_weight: of the Gram matrices; 0 leaves them out.
        criterion: d, mean absolute difference (l1), mean squared difference (l2) or Frobenius norm
            of the difference (fro).
        weights: file with torchvision's weights of the network; default: its usual name in
            experiments/pretrained_models or in torch's own folder of downloaded weights.
    """

    def __init__(
        self,
        *,
        layer_weights: dict[str, float],
        vgg_type: VGGType = "vgg19",
        use_input_norm: bool = True,
        range_norm: bool = False,
        perceptual_weight: float = 1.0,
        style_weight: float = 0.0,
        criterion: Criterion = "l1",
        weights: str | None = None,
        **others: Any,
    ) -> None:
        if not layer_weights:
            raise ValueError("layer_weights names no layer, e.g. {conv5_4: 1}")
        if min(perceptual_weight, style_weight) < 0 or perceptual_weight + style_weight == 0:
            raise ValueError(
                "perceptual_weight and style_weight must not be negative, and one of them must be "
                f"positive: {perceptual_weight}, {style_weight}"
            )
        features = VGGFeatures(
            vgg_type,
            layer_weights,
            use_input_norm=use_input_norm,
            range_norm=range_norm,
            weights=weights,
        )
        super().__init__(features, **others)
        self.layer_weights = layer_weights
        self.perceptual_weight, self.style_weight = perceptual_weight, style_weight
        self.criterion = criterion

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The weighted sum over layers."""
        with torch.no_grad():
            wanted = self.network(target)
        total = prediction.new_zeros(len(prediction))
        for layer, found in self.network(prediction).items():
            weight, there = self.layer_weights[layer], wanted[layer]
            if self.perceptual_weight:
                total = total + self.perceptual_weight * weight * self._distance(found, there)
            if self.style_weight:
                distance = self._distance(gram_matrix(found), gram_matrix(there))
                total = total + self.style_weight * weight * distance
        return total

    def _distance(self, found: Tensor, wanted: Tensor) -> Tensor:
        """``[B]``."""
        difference = (found - wanted).flatten(1)
        if self.criterion == "fro":
            return torch.linalg.vector_norm(difference, dim=1)
        each = difference.abs() if self.criterion == "l1" else difference.square()
        return each.mean(1)


def gram_matrix(features: Tensor) -> Tensor:
    """``F F^T / (C h w)``, ``[B, C, C]`` of ``[B, C, h, w]``: how channels go together anywhere."""
    flat = features.flatten(2)
    return flat @ flat.mT / (flat.shape[1] * flat.shape[2])
