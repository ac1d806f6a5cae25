"""The outbox: notifications are rows, inserted in the transaction that changes the incident they tell of.

So none is lost and none is made up: either both are committed or neither. Each row has a `delivery_id` of its own,
which every attempt carries. An incident's rows for one notifier are delivered in the order of their ids: opened, then
resolved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ..storage.database import Connection

_OPENED = """
insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, next_attempt_at)
select project_id, id, told.notifier, told.channel, 'opened',
       jsonb_build_object('detector', detector, 'title', title, 'severity', severity, 'group', "group",
                          'values', "values", 'opened_at', $4::text, 'resolved_at', null),
       $5, $5
from incident, unnest($2::text[], $3::text[]) as told (notifier, channel)
where id = $1
"""
_RESOLVED = """
insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, next_attempt_at)
select opened.project_id, incident_id, notifier, channel, 'resolved',
       payload || jsonb_build_object(
           'values', i."values",
           'resolved_at', to_char(i.resolved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"000Z"')),
       $2, $2
from notification opened join incident i on i.id = incident_id
where incident_id = any($1::bigint[]) and event = 'opened'
order by opened.id
on conflict (incident_id, notifier, event) do nothing
"""


async def opened_notifications(
    connection: Connection, incident_id: int, notify: Mapping[str, str], opened_at: str, now: datetime
) -> None:
    """Tell these notifiers (name to channel) that the incident, inserted in this transaction, was opened."""
    if notify:
        await connection.execute(_OPENED, incident_id, list(notify), list(notify.values()), opened_at, now)


async def resolved_notifications(connection: Connection, incident_ids: Sequence[int], now: datetime) -> None:
    """Tell everybody who is told of these incidents' opening that they are resolved (as set in this transaction)."""
    await connection.execute(_RESOLVED, list(incident_ids), now)
