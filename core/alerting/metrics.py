"""What Prometheus is told of alerting."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from ..declared import Declared

RUNS: Final = Declared(
    "cordwood_detector_runs", "counter", "Runs of detectors, each over one or more windows", ("detector",)
)
FAILURES: Final = Declared("cordwood_detector_failures", "counter", "Runs that failed", ("detector",))
LAG: Final = Declared(
    "cordwood_detector_lag_seconds",
    "gauge",
    "From when the last run was due to its end: how late it saw what there was to see",
    ("detector",),
)
OPEN: Final = Declared("cordwood_incidents_open", "gauge", "Incidents that are not resolved", ("detector",))
NOTIFICATIONS: Final = Declared(
    "cordwood_notifications",
    "counter",
    "Attempts to deliver a notification: sent, retried (will be tried again) or failed (for good)",
    ("notifier", "status"),
)
DECLARED: Final = (RUNS, FAILURES, LAG, OPEN, NOTIFICATIONS)


class AlertingMetrics:
    """Made once for a registry: Prometheus refuses the same name twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.runs = Counter(RUNS.name, RUNS.about, RUNS.labels, registry=registry)
        self.failures = Counter(FAILURES.name, FAILURES.about, FAILURES.labels, registry=registry)
        self.lag = Gauge(LAG.name, LAG.about, LAG.labels, registry=registry)
        self.open_incidents = Gauge(OPEN.name, OPEN.about, OPEN.labels, registry=registry)
        self.notifications = Counter(NOTIFICATIONS.name, NOTIFICATIONS.about, NOTIFICATIONS.labels, registry=registry)
