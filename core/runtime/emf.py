"""The node's metrics for CloudWatch: lines in its Embedded Metric Format on standard output, once a minute.

Where a container's log goes to CloudWatch Logs, as on ECS, CloudWatch makes metrics of such lines; nothing is called.
Counters are told as what was added since the line before, so that sums over nodes and restarts are right.
Format: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import anyio
import msgspec
from prometheus_client import CollectorRegistry

from ...plugins import in_worker

NAMESPACE: Final = "Cordwood"
EVERY_SECONDS: Final = 60.0
MOST_METRICS: Final = 100  # of one line: CloudWatch refuses more
_COUNTERS: Final = ("counter", "histogram", "summary")


class EmbeddedMetrics:
    """Writes the metrics of a registry until cancelled (`run`), each with these dimensions and its own labels.

    :param properties: what stands in each line beside them, and makes no metric of its own.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        dimensions: Mapping[str, str],
        properties: Mapping[str, str],
        write: Callable[[str], object] = sys.stdout.write,
    ) -> None:
        self._registry, self._dimensions, self._properties = registry, dict(dimensions), dict(properties)
        self._write = write
        self._before: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    async def run(self, every: float = EVERY_SECONDS) -> None:
        """Write now and then, and once more at the end."""
        try:
            while True:
                await anyio.sleep(every)
                await in_worker(self.tell)
        finally:
            self.tell()

    def tell(self, at_ms: int | None = None) -> None:
        """Write what is now."""
        lines = "".join(f"{line}\n" for line in self.lines(int(time.time() * 1000) if at_ms is None else at_ms))
        self._write(lines)
        sys.stdout.flush()

    def lines(self, at_ms: int) -> Iterator[str]:
        """A line of JSON for every combination of labels; `at_ms` since the epoch."""
        groups: dict[tuple[tuple[str, str], ...], dict[str, tuple[float, str]]] = {}
        for metric in self._registry.collect():
            for sample in metric.samples:
                if sample.name.endswith(("_bucket", "_created")):
                    continue
                labels, value = tuple(sorted(sample.labels.items())), float(sample.value)
                if metric.type in _COUNTERS:
                    before = self._before.get((sample.name, labels), 0.0)
                    self._before[sample.name, labels] = value
                    value -= before
                groups.setdefault(labels, {})[sample.name] = value, _unit(sample.name, metric.type)
        for labels, values in sorted(groups.items()):
            named = list(values.items())
            for start in range(0, len(named), MOST_METRICS):
                yield self._line(at_ms, dict(labels), dict(named[start : start + MOST_METRICS]))

    def _line(self, at_ms: int, labels: Mapping[str, str], values: Mapping[str, tuple[float, str]]) -> str:
        dimensions = {**self._dimensions, **{name: value or "-" for name, value in labels.items()}}  # none may be empty
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
        }
        about = {"Timestamp": at_ms, "CloudWatchMetrics": [directive]}
        told = {name: value for name, (value, _) in values.items()}
        return msgspec.json.encode({"_aws": about, **self._properties, **dimensions, **told}).decode()


def _unit(name: str, kind: str) -> str:
    """CloudWatch's word for the unit that the name holds.

    >>> _unit("cordwood_committed_segment_bytes_total", "counter"), _unit("cordwood_source_up", "gauge")
    ('Bytes', 'None')
    """
    plain = name.removesuffix("_total").removesuffix("_sum")
    if plain.endswith("_bytes"):
        return "Bytes"
    if plain.endswith("_seconds"):
        return "Seconds"
    return "Count" if kind in _COUNTERS else "None"
