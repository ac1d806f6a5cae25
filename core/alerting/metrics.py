"""What Prometheus is told of alerting."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class AlertingMetrics:
    """Made once for a registry: Prometheus refuses the same name twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.runs = Counter(
            "cordwood_detector_runs",
            "Runs of detectors, each over one or more windows",
            ["detector"],
            registry=registry,
        )
        self.failures = Counter("cordwood_detector_failures", "Runs that failed", ["detector"], registry=registry)
        self.lag = Gauge(
            "cordwood_detector_lag_seconds",
            "From when the last run was due to its end: how late it saw what there was to see",
            ["detector"],
            registry=registry,
        )
        self.open_incidents = Gauge(
            "cordwood_incidents_open", "Incidents that are not resolved", ["detector"], registry=registry
        )
        self.notifications = Counter(
            "cordwood_notifications",
            "Attempts to deliver a notification: sent, retried (will be tried again) or failed (for good)",
            ["notifier", "status"],
            registry=registry,
        )
