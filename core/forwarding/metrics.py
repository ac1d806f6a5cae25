"""What Prometheus is told of outputs, by the node that sends."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from ..declared import Declared

_OUTPUT: Final = ("output", "type")
EVENTS: Final = Declared("cordwood_output_events", "counter", "Events that an output has sent.", _OUTPUT)
REFUSED: Final = Declared(
    "cordwood_output_refused_events", "counter", "Events that the other side refused for good: dead letters.", _OUTPUT
)
FAILURES: Final = Declared(
    "cordwood_output_failures", "counter", "Attempts to send that failed and are repeated.", _OUTPUT
)
UP: Final = Declared("cordwood_output_up", "gauge", "1 unless the last attempt to send failed.", _OUTPUT)
LAG: Final = Declared(
    "cordwood_output_lag_seconds", "gauge", "For how long the oldest event that an output has not sent waits.", _OUTPUT
)
LAG_COMMITS: Final = Declared(
    "cordwood_output_lag_commits", "gauge", "Commits that an output has still to look at.", _OUTPUT
)
DECLARED: Final = (EVENTS, REFUSED, FAILURES, UP, LAG, LAG_COMMITS)


class ForwardingMetrics:
    """Made once for a registry: Prometheus refuses the same name twice."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(EVENTS.name, EVENTS.about, EVENTS.labels, registry=registry)
        self.refused = Counter(REFUSED.name, REFUSED.about, REFUSED.labels, registry=registry)
        self.failures = Counter(FAILURES.name, FAILURES.about, FAILURES.labels, registry=registry)
        self.up = Gauge(UP.name, UP.about, UP.labels, registry=registry)
        self.lag = Gauge(LAG.name, LAG.about, LAG.labels, registry=registry)
        self.lag_commits = Gauge(LAG_COMMITS.name, LAG_COMMITS.about, LAG_COMMITS.labels, registry=registry)

    def forget(self) -> None:
        """This node does not send any more: another one tells."""
        for gauge in (self.up, self.lag, self.lag_commits):
            gauge.clear()
