"""Far more events than usual at this hour of this day of the week, or far fewer.

    orders: {type: surge, query: "service:shop order placed", by: [region], timezone: Europe/Berlin, notify: [oncall]}

What is usual is learned from the events themselves, from the last weeks where the store has them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from ...plugins import Detector, Duration, hookimpl
from ..series import SeriesConfig, SeriesDetector
from .season import Season, Settings


class SurgeConfig(SeriesConfig):
    """Settings of the surge detector."""

    direction: Literal["up", "down", "both"] = "both"
    """Whether more events than usual, fewer, or both are trouble."""
    sensitivity: Annotated[float, Field(gt=0, le=100)] = 5.0
    """How many usual deviations a count must be away from what is expected: less finds more."""
    min_count: Annotated[int, Field(ge=1)] = 10
    """A surge has at least so many events in a bin, and a drop is one from at least so many expected."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """The zone whose hours and days the events follow; days of 23 and 25 hours are no surprise."""
    holidays: Annotated[list[date], Field(max_length=1000)] = Field(default_factory=list)
    """Days that are like Sundays, in that zone."""
    adapt: Duration = "1d"
    """A change that lasts this long without a break is the new usual."""


class Surge(SeriesDetector[SurgeConfig]):
    """Counts that leave the band of their season: hour of the day and day of the week."""

    version: ClassVar[int] = 2

    @property
    def value(self) -> str:
        """Events are counted."""
        return "count()"

    @property
    def empty(self) -> float:
        """No events are none."""
        return 0.0

    def model(self, state: Any = None) -> Season:
        """The season of one series."""
        return Season(Settings.of(self.config), state)


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Surge]
