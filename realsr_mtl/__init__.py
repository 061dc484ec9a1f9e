"""Real-world super-resolution and restoration as multi-task learning."""

__version__ = "0.1.0"
