"""Alerting: detectors run over committed events, what they find becomes incidents, and people are told of them."""

from .records import Attempt, DetectorRecord, IncidentRecord, NotificationRecord
from .repository import AlertingRepository
from .service import AlertingService

__all__ = [
    "AlertingRepository",
    "AlertingService",
    "Attempt",
    "DetectorRecord",
    "IncidentRecord",
    "NotificationRecord",
]
