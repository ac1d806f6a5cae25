"""The node: what runs where, started and stopped in order."""

from .node import MountedHttpSource, Node

__all__ = ["MountedHttpSource", "Node"]
