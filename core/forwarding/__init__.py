"""Outputs: committed events that are sent on, each output from its own position in the segment log."""

from .progress import OutputProgress, progress_of
from .replay import OutputReplayer
from .service import ForwardingService, progress_of_all

__all__ = ["ForwardingService", "OutputProgress", "OutputReplayer", "progress_of", "progress_of_all"]
