"""Networks and discriminators with published state-dict keys; others' by name."""

from realsr_mtl.archs.airnet import AirNet, Contrast
from realsr_mtl.archs.build import (
    build_discriminator,
    build_network,
    check_patch,
    count_parameters,
)
from realsr_mtl.archs.limits import Limits, limits
from realsr_mtl.archs.msrresnet import MSRResNet
from realsr_mtl.archs.nafnet import NAFNet
from realsr_mtl.archs.patch_discriminator import PatchDiscriminator
from realsr_mtl.archs.promptir import PromptIR
from realsr_mtl.archs.registry import ARCHS, DISCRIMINATORS
from realsr_mtl.archs.rrdbnet import RRDBNet
from realsr_mtl.archs.seal_acceptance import SEALAcceptance
from realsr_mtl.archs.srvgg import SRVGGNetCompact
from realsr_mtl.archs.task_heads import TaskHeads, for_task, shared_parameters
from realsr_mtl.archs.transweather import TransWeather
from realsr_mtl.archs.unet_discriminator import UNetDiscriminatorSN
from realsr_mtl.archs.vgg_discriminator import VGGStyleDiscriminator
from realsr_mtl.archs.weights import load_weights, read_weights

__all__ = [
    "ARCHS",
    "DISCRIMINATORS",
    "AirNet",
    "Contrast",
    "Limits",
    "MSRResNet",
    "NAFNet",
    "PatchDiscriminator",
    "PromptIR",
    "RRDBNet",
    "SEALAcceptance",
    "SRVGGNetCompact",
    "TaskHeads",
    "TransWeather",
    "UNetDiscriminatorSN",
    "VGGStyleDiscriminator",
    "build_discriminator",
    "build_network",
    "check_patch",
    "count_parameters",
    "for_task",
    "limits",
    "load_weights",
    "read_weights",
    "shared_parameters",
]
