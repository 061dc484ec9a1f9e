"""Networks: own ones with published state-dict keys, others from basicsr or spandrel by name."""

from realsr_mtl.archs.airnet import AirNet, Contrast
from realsr_mtl.archs.build import build_network, count_parameters
from realsr_mtl.archs.layers import pad_multiple
from realsr_mtl.archs.msrresnet import MSRResNet
from realsr_mtl.archs.nafnet import NAFNet
from realsr_mtl.archs.promptir import PromptIR
from realsr_mtl.archs.registry import ARCHS
from realsr_mtl.archs.rrdbnet import RRDBNet
from realsr_mtl.archs.srvgg import SRVGGNetCompact
from realsr_mtl.archs.task_heads import TaskHeads, for_task, shared_parameters
from realsr_mtl.archs.transweather import TransWeather
from realsr_mtl.archs.weights import load_weights, read_weights

__all__ = [
    "ARCHS",
    "AirNet",
    "Contrast",
    "MSRResNet",
    "NAFNet",
    "PromptIR",
    "RRDBNet",
    "SRVGGNetCompact",
    "TaskHeads",
    "TransWeather",
    "build_network",
    "count_parameters",
    "for_task",
    "load_weights",
    "pad_multiple",
    "read_weights",
    "shared_parameters",
]
