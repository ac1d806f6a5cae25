"""What a recording asks: an aggregation of one figure, for many steps at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...config import RecordingSettings
from ..alerting.narrow import group_fields
from ..alerting.windowed import windowed
from ..query.aggregate import label
from ..query.parser import parse
from ..query.stages.stats import Stats
from ..query.tree import Named, Place

_SHAPE = "write a search, `| stats` with one figure and its keys, and at most `| where` after it"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """A recording's query taken apart: the column of its figure, and those of its labels."""

    text: str
    value: str
    labels: tuple[str, ...]
    step_ns: int
    grace_ns: int

    @classmethod
    def of(cls, settings: RecordingSettings, text: str) -> Rule:
        """The rule of a recording whose query, with saved ones written out, is `text`.

        :raises QueryError: it is no aggregation of one figure
        """
        value, labels = check_recording(text)
        return cls(text, value, labels, nanoseconds(settings.every), nanoseconds(settings.grace))

    def asked(self) -> str:
        """The query for all steps of a range."""
        made = windowed(self.text, self.step_ns, 0)
        assert made is not None  # `of` has seen to it
        return made

    def floor(self, ns: int) -> int:
        """Where the step of a moment begins."""
        return ns // self.step_ns * self.step_ns

    def ceil(self, ns: int) -> int:
        """Where the first step begins that holds nothing from before a moment."""
        return -(-ns // self.step_ns) * self.step_ns


def check_recording(text: str) -> tuple[str, tuple[str, ...]]:
    """The name of the figure and those of the labels.

    >>> check_recording("severity>=error | stats count() as n by service, lower(host) as h | where n > 5")
    ('n', ('service', 'h'))

    :raises QueryError: it is no aggregation of one figure that can be asked for many steps at once
    """
    query = parse(text)
    place = next((i for i, stage in enumerate(query.stages) if isinstance(stage, Stats)), None)
    if place is None:
        raise query.error("a recording keeps figures, and this query answers events", Place(), _SHAPE)
    stats = query.stages[place]
    assert isinstance(stats, Stats)
    if len(stats.aggregates) != 1:
        raise query.error("a recording keeps one figure", stats.aggregates[1].at, "make a recording of each")
    for stage in query.stages[place + 1 :]:
        if stage.name != "where":
            raise query.error(f"`{stage.name}` after `stats` is not for recordings", stage.at, _SHAPE)
    if len(group_fields(text) or ()) < len(stats.keys):
        raise query.error("a recording has a time already: that of its step", Place(), "leave times out of the keys")
    if windowed(text, 1_000_000_000, 0) is None:
        message = "this query asks about more than the step it is about: times, shares, rates, other queries"
        raise query.error(message, Place(), _SHAPE)
    return _name(stats.aggregates[0]), tuple(_name(key) for key in stats.keys)


def nanoseconds(span: timedelta) -> int:
    """A time span in nanoseconds."""
    return span // _MICROSECOND * 1000


def chunks(start: int, end: int, step: int, at_once: int) -> Sequence[tuple[int, int]]:
    """The range in parts of at most so many steps, oldest first.

    >>> chunks(0, 50, 10, 2)
    [(0, 20), (20, 40), (40, 50)]
    """
    return [(at, min(at + step * at_once, end)) for at in range(start, end, step * at_once)]


def _name(named: Named) -> str:
    return named.name or label(named.node)
