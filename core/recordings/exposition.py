"""Recorded metrics in Prometheus' text exposition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...config import RecordingSettings
from .store import Recorded

_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


class RecordedMetrics(Collector):
    """What `prometheus_client` writes out: the recordings with their series as they are now."""

    def __init__(self, found: Sequence[tuple[str, RecordingSettings, Sequence[Recorded]]]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """A family for each recording: the totals of a counter, the newest figures of a gauge."""
        for name, settings, series in self._found:
            names = label_names({label for one in series for label in one.labels})
            about = settings.help or settings.query
            if settings.kind == "counter":
                counter = CounterMetricFamily(name, about, labels=list(names.values()))
                for one in series:
                    counter.add_metric(_values(names, one), one.total)
                yield counter
            else:
                gauge = GaugeMetricFamily(name, about, labels=list(names.values()))
                for one in series:
                    if one.value is not None:
                        gauge.add_metric(_values(names, one), one.value)
                yield gauge


def label_names(labels: Iterable[str]) -> Mapping[str, str]:
    """Names that Prometheus takes, each another: what it does not take becomes `_`.

    >>> label_names({"http.status", "http_status", "1st", "__name__", "ok"})
    {'1st': '_1st', '__name__': 'name__', 'http.status': 'http_status', 'http_status': 'http_status_', 'ok': 'ok'}
    """
    made: dict[str, str] = {}
    for label in sorted(labels):
        name = _NO_NAME.sub("_", label)
        if name.startswith("__"):  # those are Prometheus' own
            name = name.lstrip("_") or "_"
        if not name or name[0].isdigit():
            name = f"_{name}"
        while name in made.values():
            name += "_"
        made[label] = name
    return made


def _values(names: Mapping[str, str], one: Recorded) -> list[str]:
    return [one.labels.get(label, "") for label in names]
