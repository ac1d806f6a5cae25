"""Settings of detectors that learn a series."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from ...plugins import DetectorConfig, Duration, duration_ns

SECOND = 1_000_000_000
SHORTEST_BIN, LONGEST_BIN = 10 * SECOND, 86_400 * SECOND


def _a_bin(text: str) -> str:
    """A bin much shorter holds too little to judge; one that is longer hides the hours of a day."""
    ns = duration_ns(text)
    if not SHORTEST_BIN <= ns <= LONGEST_BIN or LONGEST_BIN % ns:
        raise ValueError(f"{text} is no part of a day between 10s and 1d; use 1m, 5m or 1h")
    return text


class SeriesConfig(DetectorConfig):
    """Settings that the detectors with a model have in common."""

    query: str = "*"
    """A search for the events that make the series. It may have stages that keep events, such as `where`."""
    by: Annotated[list[str], Field(max_length=8)] = Field(default_factory=list)
    """Fields whose values make a series each; none: one series.
    Series beyond the first 200 (`anomaly`: 100) are left out."""
    bin: Annotated[Duration, AfterValidator(_a_bin)] = "5m"
    """The span of time that one value is of: a part of a day between `10s` and `1d`. It is judged once it is over."""
    window: Duration = "15m"
    """How long a bin that is out of the way is trouble: at least one `bin` and `every`."""
    memory: Duration = "4w"
    """How far back it learns when it begins, and how long a series that stays away is known."""
    explain: Annotated[list[str], Field(max_length=4)] = Field(default_factory=list)
    """Fields whose values may be the cause: an incident names those that changed most."""
    resolve_after: Duration | None = "0s"
    """How long a group must have been well before its incident is resolved; at once if not set."""

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        bin_ns = duration_ns(self.bin)
        if duration_ns(self.window) < bin_ns + duration_ns(self.every):
            raise ValueError(f"window {self.window} is too short; use one bin and `every`, {self.bin} and {self.every}")
        if duration_ns(self.memory) < 10 * bin_ns:
            raise ValueError(f"memory {self.memory} is too short; use ten bins or more")
        return self
