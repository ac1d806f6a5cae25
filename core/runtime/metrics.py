"""What a node tells Prometheus about itself, read when it is scraped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from .node import Node


class NodeMetrics(Collector):
    """Counters of the writer and of each source."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def register(self, registry: CollectorRegistry) -> None:
        """Add these metrics to a registry."""
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        stats = self._node.store.writer.stats
        for name, value, about in (
            ("committed_events", stats.events, "Events committed by this node."),
            ("committed_segments", stats.segments, "Segments committed by this node."),
            ("committed_segment_bytes", stats.bytes, "Bytes of the segments committed by this node."),
            ("duplicate_requests", stats.duplicates, "Requests whose idempotency key had been committed before."),
            ("failed_commits", stats.failures, "Groups that were refused because the database did not commit."),
        ):
            yield CounterMetricFamily(f"cordwood_{name}", about, value=value)
        events = CounterMetricFamily("cordwood_source_events", "Events taken in, by source.", labels=["source", "type"])
        cut = CounterMetricFamily(
            "cordwood_cut_events", "Events that were too large and lost a part.", labels=["source", "type"]
        )
        dead = CounterMetricFamily(
            "cordwood_source_dead_letters", "Events that became dead letters, by source.", labels=["source", "type"]
        )
        left_out = CounterMetricFamily(
            "cordwood_source_left_out_events", "Events that a pipeline left out, by source.", labels=["source", "type"]
        )
        up = GaugeMetricFamily("cordwood_source_up", "1 while the source runs.", labels=["source", "type"])
        own: dict[str, CounterMetricFamily] = {}
        for source in self._node.sources.values():
            events.add_metric([source.name, source.type], source.outlet.counters.events)
            cut.add_metric([source.name, source.type], source.outlet.counters.cut)
            dead.add_metric([source.name, source.type], source.outlet.counters.dead)
            left_out.add_metric([source.name, source.type], source.outlet.counters.left_out)
            up.add_metric([source.name, source.type], float(source.state == "running"))
            for name, count in source.source.counts.items():
                about = f"What sources counted as {name.replace('_', ' ')}."
                own.setdefault(
                    name, CounterMetricFamily(f"cordwood_source_{name}", about, labels=["source", "type"])
                ).add_metric([source.name, source.type], count)
        yield events
        yield cut
        yield dead
        yield left_out
        yield up
        yield from own.values()
        limited = CounterMetricFamily(
            "cordwood_limit_reached", "What a limit refused, or made wait.", labels=["project", "limit", "outcome"]
        )
        for admission in self._node.admissions.values():
            for (limit, outcome), count in admission.reached.items():
                limited.add_metric([admission.project, limit, outcome], count)
        yield limited
        yield GaugeMetricFamily(
            "cordwood_start_time_seconds", "When this node started.", value=self._node.started_ns / 1e9
        )
