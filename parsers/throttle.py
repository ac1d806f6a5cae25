"""So many events in a time, for each value of a field: one that shouts does not fill the store.

    parse:
      - {type: throttle, events: 100, every: 1m, by: [service, host]}

The first of each interval are stored, the rest is left out and counted. Where the repetitions are to stay countable in
the store, use `storm`.
"""

from __future__ import annotations

from pydantic import Field

from ..plugins import Batch, Duration, Judge, Judged, PluginConfig, Quota, arrived, hookimpl, keys_of


class ThrottleConfig(PluginConfig):
    """Settings of throttling."""

    events: int = Field(ge=1, le=1_000_000_000)
    """How many go on."""
    every: Duration = "1m"
    """In which time, such as `1m`; intervals begin at whole multiples of it. An hour at most."""
    by: list[str] = Field([], max_length=50)
    """Fields whose values have a count each; events that have none of them share one. Not set: all events share one."""


class Throttle(Judge[ThrottleConfig]):
    """Let so many events in a time go on, for each value of some fields.

    It counts for 200,000 values, on each node for itself; events of a batch that was not stored do not count.
    """

    def __init__(self, config: ThrottleConfig) -> None:
        super().__init__(config)
        self._quota = Quota(config.events, config.every)

    def judge(self, batch: Batch) -> Judged:
        """The first of each value."""
        now = arrived(batch)
        goes, keys, numbers = self._quota.take(keys_of(batch, self.config.by).fill_null(0), now)

        def settle(committed: bool) -> None:
            if not committed:
                self._quota.back(keys, numbers, now)

        return Judged(batch, goes, settle)


@hookimpl
def cordwood_plugins() -> list[type[Throttle]]:
    """The step that throttles."""
    return [Throttle]
