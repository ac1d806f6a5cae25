"""What a notifier delivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Json


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a notification, for channels that carry files."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Chart:
    """How many events that show an incident came when: in each of so many equal parts of the time."""

    begin: str
    """RFC 3339, UTC; as `end`."""
    end: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Notification:
    """What a person is told. The same `delivery_id` may arrive twice after a crash; it is then the same message."""

    delivery_id: str
    event: str
    """`opened`, `flapping` (it opens and ends again and again), `escalated` (nobody acknowledged it) or `resolved`, of
    an incident; `report`: a report was made, and `detector` is its name; `digest`: several notifications in one."""
    incident_id: int
    """0 for a report and a digest."""
    detector: str
    title: str
    severity: str
    group: Mapping[str, Json]
    values: Mapping[str, Json]
    opened_at: str
    """RFC 3339, UTC."""
    resolved_at: str | None
    link: str
    """The incident's page, or the report's, or the list of incidents."""
    samples: Sequence[Mapping[str, Any]]
    """Newest events that show the trouble, in JSON form. Of a digest the notifications in it, the first 50."""
    project: str = "default"
    text: str = ""
    """What a report says in words, how often an incident flapped, or how many more are in a digest."""
    attachments: Sequence[Attachment] = ()
    """A report's files; the link leads to them as well."""
    acknowledge: str = ""
    """Address of a page that acknowledges the incident without signing in; its last part is the token that does it.
    Empty where there is nothing to acknowledge."""
    words: str = ""
    """What the notifier's `template` makes of it: the first line is the headline, the others what is said. Empty: it
    has none."""
    first: str = ""
    """What the notifier answered when it delivered its first message about the incident. Empty: this is the first."""
    chart: Chart | None = None
    """For notifiers with `shows_chart`, where it can be made."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button in a message that acknowledges: the token that stood in `Notification.acknowledge`, and who pressed."""

    token: str
    by: str
