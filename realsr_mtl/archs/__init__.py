"""Networks: own ones with BasicSR's state-dict keys, others from basicsr or spandrel by name."""

from realsr_mtl.archs.build import build_network, count_parameters, pad_multiple
from realsr_mtl.archs.msrresnet import MSRResNet
from realsr_mtl.archs.registry import ARCHS
from realsr_mtl.archs.rrdbnet import RRDBNet
from realsr_mtl.archs.srvgg import SRVGGNetCompact
from realsr_mtl.archs.weights import load_weights, read_weights

__all__ = [
    "ARCHS",
    "MSRResNet",
    "RRDBNet",
    "SRVGGNetCompact",
    "build_network",
    "count_parameters",
    "load_weights",
    "pad_multiple",
    "read_weights",
]
