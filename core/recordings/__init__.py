"""Recording rules: the result of a query, step by step, kept as a metric series."""

from .rule import check_recording
from .service import Backfilled, RecordingService
from .store import Recorded, RecordingState

__all__ = ["Backfilled", "Recorded", "RecordingService", "RecordingState", "check_recording"]
