"""Outputs: committed events that are sent on, each output from its own position in the segment log."""

from .progress import OutputProgress, progress_of
from .service import ForwardingService

__all__ = ["ForwardingService", "OutputProgress", "progress_of"]
