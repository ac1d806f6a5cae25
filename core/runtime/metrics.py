"""What a node tells Prometheus about itself, read when it is scraped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ... import __version__
from ..declared import Declared

if TYPE_CHECKING:
    from .node import Node

_SOURCE: Final = ("source", "type")
EVENTS: Final = Declared("cordwood_committed_events", "counter", "Events committed by this node.")
SEGMENTS: Final = Declared("cordwood_committed_segments", "counter", "Segments committed by this node.")
BYTES: Final = Declared("cordwood_committed_segment_bytes", "counter", "Bytes of the segments committed by this node.")
DUPLICATES: Final = Declared(
    "cordwood_duplicate_requests", "counter", "Requests whose idempotency key had been committed before."
)
FAILED_COMMITS: Final = Declared(
    "cordwood_failed_commits", "counter", "Groups that were refused because the database did not commit."
)
SOURCE_EVENTS: Final = Declared("cordwood_source_events", "counter", "Events taken in, by source.", _SOURCE)
DEAD_LETTERS: Final = Declared(
    "cordwood_source_dead_letters", "counter", "Events that became dead letters, by source.", _SOURCE
)
SPOOLED: Final = Declared(
    "cordwood_source_spooled_events",
    "gauge",
    "Events that a source that cannot wait keeps on the disk until the store takes them.",
    _SOURCE,
)
SPOOLED_BYTES: Final = Declared("cordwood_source_spooled_bytes", "gauge", "Bytes of them on the disk.", _SOURCE)
SPOOL_DROPPED: Final = Declared(
    "cordwood_source_spool_dropped_events",
    "counter",
    "Events that are lost: the store took nothing, and the disk had no room.",
    _SOURCE,
)
LEFT_OUT: Final = Declared(
    "cordwood_source_left_out_events", "counter", "Events that a pipeline left out, by source.", _SOURCE
)
CUT_EVENTS: Final = Declared("cordwood_cut_events", "counter", "Events that were too large and lost a part.", _SOURCE)
SOURCE_UP: Final = Declared("cordwood_source_up", "gauge", "1 while the source runs.", _SOURCE)
LIMIT_REACHED: Final = Declared(
    "cordwood_limit_reached", "counter", "What a limit refused, or made wait.", ("project", "limit", "outcome")
)
PENDING: Final = Declared(
    "cordwood_pending_bytes",
    "gauge",
    "Bytes taken in and not yet committed; senders wait at a bound.",
)
DISK_FULL: Final = Declared("cordwood_disk_full", "gauge", "1 if the last commit failed for want of space.")
CLOCK: Final = Declared(
    "cordwood_clock_difference_seconds", "gauge", "Seconds that the database's clock is ahead of this node's."
)
PLACE_UP: Final = Declared(
    "cordwood_place_up",
    "gauge",
    "1 if objects can be written, read and deleted in the place of segments; only of nodes that merge.",
    ("place",),
)
UNMERGED: Final = Declared("cordwood_unmerged_segments", "gauge", "Segments of single commits that wait to be merged.")
START: Final = Declared("cordwood_start_time_seconds", "gauge", "When this node started, since the epoch.")
INFO: Final = Declared("cordwood_build_info", "gauge", "1; the labels tell version and role.", ("version", "role"))
DECLARED: Final = (
    EVENTS,
    SEGMENTS,
    BYTES,
    DUPLICATES,
    FAILED_COMMITS,
    SOURCE_EVENTS,
    CUT_EVENTS,
    DEAD_LETTERS,
    LEFT_OUT,
    SPOOLED,
    SPOOLED_BYTES,
    SPOOL_DROPPED,
    SOURCE_UP,
    LIMIT_REACHED,
    PENDING,
    DISK_FULL,
    CLOCK,
    PLACE_UP,
    UNMERGED,
    START,
    INFO,
)


class NodeMetrics(Collector):
    """Counters of the writer and of each source, and what the node sees around itself."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def register(self, registry: CollectorRegistry) -> None:
        """Add these metrics to a registry."""
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        node = self._node
        stats, conditions = node.store.writer.stats, node.conditions
        for declared, value in (
            (EVENTS, stats.events),
            (SEGMENTS, stats.segments),
            (BYTES, stats.bytes),
            (DUPLICATES, stats.duplicates),
            (FAILED_COMMITS, stats.failures),
            (PENDING, node.store.writer.queued_bytes),
            (DISK_FULL, float(stats.disk_full)),
            (CLOCK, conditions.clock_difference_seconds),
            (UNMERGED, conditions.unmerged_segments),
            (START, node.started_ns / 1e9),
        ):
            family = _family(declared)
            family.add_metric([], value)
            yield family
        info, place = _family(INFO), _family(PLACE_UP)
        info.add_metric([__version__, node.settings.role], 1.0)
        if conditions.place_up is not None:
            place.add_metric([node.store.files.places.current], float(conditions.place_up))
        limited = _family(LIMIT_REACHED)
        for admission in node.admissions.values():
            for (limit, outcome), count in admission.reached.items():
                limited.add_metric([admission.project, limit, outcome], count)
        yield from (info, place, limited)
        yield from self._of_sources()

    def _of_sources(self) -> Iterator[Metric]:
        kinds = (SOURCE_EVENTS, CUT_EVENTS, SOURCE_UP, DEAD_LETTERS, LEFT_OUT)
        events, cut, up, dead, left_out = (_family(one) for one in kinds)
        spooled, spooled_bytes, spool_dropped = map(_family, (SPOOLED, SPOOLED_BYTES, SPOOL_DROPPED))
        own: dict[str, CounterMetricFamily] = {}
        for source in self._node.sources.values():
            labels = [source.name, source.type]
            events.add_metric(labels, source.outlet.counters.events)
            cut.add_metric(labels, source.outlet.counters.cut)
            dead.add_metric(labels, source.outlet.counters.dead)
            left_out.add_metric(labels, source.outlet.counters.left_out)
            up.add_metric(labels, float(source.state == "running"))
            if (spool := source.outlet.spool) is not None:
                spooled.add_metric(labels, spool.events)
                spooled_bytes.add_metric(labels, spool.bytes)
                spool_dropped.add_metric(labels, spool.dropped)
            for name, count in source.source.counts.items():
                about = f"What sources counted as {name.replace('_', ' ')}."
                own.setdefault(
                    name, CounterMetricFamily(f"cordwood_source_{name}", about, labels=list(_SOURCE))
                ).add_metric(labels, count)
        yield from (events, cut, dead, left_out, up, spooled, spooled_bytes, spool_dropped)
        yield from own.values()


def _family(declared: Declared) -> CounterMetricFamily | GaugeMetricFamily:
    made = CounterMetricFamily if declared.kind == "counter" else GaugeMetricFamily
    return made(declared.name, declared.about, labels=declared.labels)
