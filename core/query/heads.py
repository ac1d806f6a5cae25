"""The heads of a query: what `from NAME` reads beside the log events. Cordwood's own tables, as columns with kinds.

A head is a SELECT of PostgreSQL over one project, `$1`, that gives each column under its name. Times are `timestamp` in
UTC, JSON is text, a severity its number. `message` is not shown: it holds the texts that words are searched in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...plugins.severity import NAMES
from .mistakes import did_you_mean
from .tree import EVENTS, Mistake, Place

MESSAGE = "message"
_LEVEL = "case severity " + " ".join(f"when '{name}' then {number}" for number, name in NAMES.items()) + " end"


@dataclass(frozen=True)
class Head:
    """What `from NAME` reads. `end` is the column of a row's last moment, where it has more than one moment."""

    name: str
    doc: str
    columns: Mapping[str, str]
    sql: str
    end: str | None = None
    is_admins: bool = False
    """Only who may administer reads it."""

    @property
    def has_time(self) -> bool:
        """Whether the range of the request holds for it, and the newest come first."""
        return "timestamp" in self.columns


INCIDENTS = Head(
    "incidents",
    "What detectors found; `timestamp` is when it was opened, `start` to `end` the events' time.",
    {
        "timestamp": "time", "severity": "severity", "id": "int", "state": "text", "detector": "text", "title": "text",
        "group": "json", "values": "json", "query": "text", "start": "time", "end": "time", "last_seen_at": "time",
        "acknowledged_at": "time", "resolved_at": "time", "resolved_by": "text", "duration": "duration",
        "flapping": "bool",
    },
    f"""
    select opened_at at time zone 'UTC' as timestamp, {_LEVEL} as severity, id, state, detector, title,
           cast("group" as text) as "group", cast("values" as text) as "values", query,
           from_time at time zone 'UTC' as start, to_time at time zone 'UTC' as "end",
           last_seen_at at time zone 'UTC' as last_seen_at, acknowledged_at at time zone 'UTC' as acknowledged_at,
           resolved_at at time zone 'UTC' as resolved_at, resolved_by,
           cast(extract(epoch from resolved_at - opened_at) * 1000000000 as bigint) as duration,
           turned_at is not null and state <> 'resolved' as flapping,
           concat_ws(' ', title, detector, query, cast("group" as text)) as message
    from incident where project_id = $1
    """,  # noqa: S608 - made of constants
)  # fmt: skip
NOTIFICATIONS = Head(
    "notifications",
    "What people were told of incidents and which reports they got, and whether it arrived.",
    {
        "timestamp": "time", "id": "int", "incident": "int", "title": "text", "detector": "text", "notifier": "text",
        "channel": "text", "event": "text", "status": "text", "attempts": "int", "sent_at": "time", "error": "text",
    },
    """
    select n.created_at at time zone 'UTC' as timestamp, n.id, n.incident_id as incident,
           coalesce(i.title, n.payload->>'title') as title, coalesce(i.detector, n.payload->>'detector') as detector,
           n.notifier, n.channel, n.event, n.status, jsonb_array_length(n.attempts) as attempts,
           n.sent_at at time zone 'UTC' as sent_at, n.error,
           concat_ws(' ', n.payload->>'title', n.payload->>'detector', n.notifier, n.channel, n.error) as message
    from notification n left join incident i on i.id = n.incident_id where n.project_id = $1
    """,
)  # fmt: skip
AUDIT = Head(
    "audit",
    "Who changed what. Only for administrators.",
    {"timestamp": "time", "id": "int", "who": "text", "what": "text", "details": "json"},
    """
    select at at time zone 'UTC' as timestamp, id, who, what, cast(details as text) as details,
           concat_ws(' ', who, what, cast(details as text)) as message
    from audit where project_id = $1
                     or (project_id is null and $1 = (select id from project where name = 'default'))
    """,
    is_admins=True,
)
SEGMENTS = Head(
    "segments",
    "The files that hold the events; `timestamp` is the first event's time, `end` the last one's.",
    {
        "timestamp": "time", "end": "time", "id": "int", "rows": "int", "bytes": "int", "level": "int", "place": "text",
        "service": "text", "host": "text", "fields": "int", "first_position": "int", "last_position": "int",
        "created_at": "time",
    },
    """
    select timestamp '1970-01-01' + min_time / 1000 * interval '1 microsecond' as timestamp,
           timestamp '1970-01-01' + max_time / 1000 * interval '1 microsecond' as "end",
           id, rows, bytes, level, place, services.listed as service, hosts.listed as host,
           jsonb_array_length(columns) as fields, min_position as first_position, max_position as last_position,
           created_at at time zone 'UTC' as created_at, concat_ws(' ', services.listed, hosts.listed, place) as message
    from segment
         cross join lateral (select string_agg(name, ', ' order by name) as listed
                             from jsonb_array_elements_text(coalesce(services, '[]')) as s (name)) as services
         cross join lateral (select string_agg(name, ', ' order by name) as listed
                             from jsonb_array_elements_text(coalesce(hosts, '[]')) as h (name)) as hosts
    where project_id = $1 and replaced_at is null
    """,
    end="end",
)  # fmt: skip
DETECTORS = Head(
    "detectors",
    "The detectors of the running configuration, and how each is. Of now: the range of time does not hold for it.",
    {
        "name": "text", "type": "text", "state": "text", "query": "text", "condition": "text", "window": "text",
        "every": "text", "notify": "json", "open_incidents": "int", "last_run_at": "time", "error": "text",
    },
    """
    select d.name, d.type, d.query, d.condition, d."window", d.every, cast(d.notify as text) as notify,
           i.open as open_incidents,
           case when d.state = 'error' then 'error' when i.open > 0 then 'firing' else 'ok' end as state,
           d.last_run_at at time zone 'UTC' as last_run_at, d.error,
           concat_ws(' ', d.name, d.type, d.query, d.error) as message
    from detector_state d
         cross join lateral (select count(*) as open from incident
                             where project_id = d.project_id and detector = d.name and state <> 'resolved') as i
    where d.project_id = $1 and d.active
    """,
)  # fmt: skip
INGEST_ERRORS = Head(
    "ingest_errors",
    "Dead letters: events that a step of a pipeline could not read, or an `output` not get rid of; `text` is the "
    "begin of the message.",
    {
        "timestamp": "time", "id": "int", "source": "text", "pipeline": "text", "step": "int", "parser": "text",
        "reason": "text", "text": "text", "bytes": "int", "attempts": "int", "tried_at": "time", "output": "text",
    },
    """
    select at at time zone 'UTC' as timestamp, id, source, pipeline, step, parser, reason, message as text, bytes,
           attempts, tried_at at time zone 'UTC' as tried_at, output, concat_ws(' ', message, reason) as message
    from ingest_error where project_id = $1
    """,
)  # fmt: skip
METRICS = Head(
    "metrics",
    "What recordings made of the events; `timestamp` is the begin of the step. A label: `json(labels, \"$.service\")`.",
    {"timestamp": "time", "name": "text", "labels": "json", "value": "float", "id": "int"},
    """
    select s.at at time zone 'UTC' as timestamp, m.recording as name, cast(m.labels as text) as labels, s.value, m.id,
           concat_ws(' ', m.recording, cast(m.labels as text)) as message
    from metric_sample s join metric_series m on m.id = s.series_id
    where m.project_id = $1 and s.value is not null
    """,
)  # fmt: skip

HEADS = {head.name: head for head in (INCIDENTS, NOTIFICATIONS, AUDIT, SEGMENTS, DETECTORS, INGEST_ERRORS, METRICS)}


def known_head(name: str, at: Place) -> str:
    """The name of a head, events' among them.

    :raises Mistake: there is none of that name.
    """
    if name != EVENTS and name not in HEADS:
        listed = f"one of {EVENTS}, {', '.join(HEADS)}; to search for these words, quote them"
        raise Mistake(f"nothing to read is called `{name[:40]}`", at, did_you_mean(name, (EVENTS, *HEADS), listed))
    return name
