"""A figure that behaves as it never did: a rate, a latency, a temperature; by machine learning, without a threshold.

    latency: {type: anomaly, query: "service:api", value: "quantile(duration, 0.95)", by: [route], notify: [oncall]}

What is usual is learned from the events themselves: the time of the day, and the shapes that the figure has drawn.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from ...plugins import Detector, Duration, hookimpl
from ..series import SeriesConfig, SeriesDetector
from .watch import Settings, Watch

_SUMS = re.compile(r"\s*(count|countif|sum)\s*\(")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


class AnomalyConfig(SeriesConfig):
    """Settings of the anomaly detector."""

    value: Annotated[str, AfterValidator(_not_blank)] = "count()"
    """The aggregation that gives a bin its value, such as `avg(duration)`. A count or sum without events is 0."""
    sensitivity: Annotated[float, Field(gt=0, le=6)] = 1.0
    """How strange a value must be: 1 is what one in fifty values of its past was to all looks. Less finds more."""
    rest: Duration = "16h"
    """Once an incident has opened, the series opens no other for this long."""
    window: Duration = "1h"
    """How long a bin that is out of the way is trouble: at least one `bin` and `every`."""


class Anomaly(SeriesDetector[AnomalyConfig]):
    """Values that are strange by the time of the day and by the shapes that the series has drawn before."""

    version: ClassVar[int] = 1
    most_series: ClassVar[int] = 100

    @property
    def value(self) -> str:
        """As the settings say."""
        return self.config.value

    @property
    def empty(self) -> float | None:
        """No events count for nothing; they have no mean."""
        return 0.0 if _SUMS.match(self.config.value) else None

    def model(self, state: Any = None) -> Watch:
        """The model of one series."""
        return Watch(Settings.of(self.config), state)


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Anomaly]
