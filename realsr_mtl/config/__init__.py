"""Option files: reading, checking, BasicSR and Real-ESRGAN compatibility, overrides."""

from realsr_mtl.config.arguments import Arguments, parse_arguments
from realsr_mtl.config.load import LoadedOptions, load_options
from realsr_mtl.config.schema import Component, DatasetOptions, Options

__all__ = [
    "Arguments",
    "Component",
    "DatasetOptions",
    "LoadedOptions",
    "Options",
    "load_options",
    "parse_arguments",
]
