"""The node: what runs where, started and stopped in order."""

from .configs import load_checked
from .node import MountedHttpSource, Node

__all__ = ["MountedHttpSource", "Node", "load_checked"]
