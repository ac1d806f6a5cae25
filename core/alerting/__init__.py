"""Alerting: detectors run over committed events, what they find becomes incidents, and people are told of them."""

from .backtest import Backtested, Firing, Span, backtest
from .bell import Bells
from .figures import Course, course_of, course_of_incident
from .records import Attempt, DetectorRecord, IncidentRecord, NotificationRecord
from .repository import AlertingRepository
from .run import Events
from .service import AlertingService
from .suggest import Suggestion, suggest

__all__ = [
    "AlertingRepository",
    "AlertingService",
    "Attempt",
    "Backtested",
    "Bells",
    "Course",
    "DetectorRecord",
    "Events",
    "Firing",
    "IncidentRecord",
    "NotificationRecord",
    "Span",
    "Suggestion",
    "backtest",
    "course_of",
    "course_of_incident",
    "suggest",
]
