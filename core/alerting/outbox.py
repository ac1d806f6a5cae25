"""The outbox: notifications are rows, inserted in the transaction that changes the incident they tell of.

So none is lost and none is made up: either both are committed or neither. Each row has a `delivery_id` of its own,
which every attempt carries. An incident's rows for one notifier are delivered in the order of their ids: opened,
escalated, resolved; of one that is flapping, flapping instead of opened, which may follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ...config import Told
from ..storage.database import Connection

_TELLS = ("opened", "flapping", "escalated")
_OPENED = """
insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, next_attempt_at)
select project_id, id, told.notifier, told.channel, told.event,
       jsonb_build_object('detector', detector, 'title', title, 'severity', severity, 'group', "group",
                          'values', "values", 'text', $7::text,
                          'opened_at', to_char(opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"000Z"'),
                          'resolved_at', null),
       $6, told.due
from incident, unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) as told (notifier, channel, event, due)
where id = $1
on conflict (incident_id, notifier, event) do nothing
"""
_RESOLVED = """
insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, next_attempt_at)
select told.project_id, incident_id, notifier, channel, 'resolved',
       payload - 'text' || jsonb_build_object(
           'values', i."values",
           'resolved_at', to_char(i.resolved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"000Z"')),
       $2, $2
from (select distinct on (incident_id, notifier) *
      from notification where incident_id = any($1::bigint[]) and event in ('opened', 'flapping', 'escalated')
      order by incident_id, notifier, id) told
join incident i on i.id = incident_id
order by told.id
on conflict (incident_id, notifier, event) do nothing
"""
# One that was due may be on the way at this moment, so it stays.
_NOT_DUE = """
delete from notification
where incident_id = any($1::bigint[]) and event = any($2::text[])
  and status = 'pending' and attempts = '[]' and next_attempt_at > $3
"""


async def tell(
    connection: Connection,
    incident_id: int,
    told: Sequence[Told],
    channels: Mapping[str, str],
    now: datetime,
    flapped: str = "",
) -> None:
    """Tell them, each when it is time and each once, of the incident, inserted or changed in this transaction.

    `channels` maps the notifiers' names to their types; what would go to another name has failed. `flapped`: it is
    flapping, in words.
    """
    if not told:
        return
    await connection.execute(
        _OPENED,
        incident_id,
        [one.notifier for one in told],
        [channels.get(one.notifier, "") for one in told],
        ["escalated" if one.escalation else "flapping" if flapped else "opened" for one in told],
        [now + one.after for one in told],
        now,
        flapped,
    )
    unknown = [one.notifier for one in told if one.notifier not in channels]
    if unknown:
        await connection.execute(
            "update notification set status = 'failed', error = 'no notifier of this name is configured' "
            "where incident_id = $1 and notifier = any($2::text[])",
            incident_id,
            unknown,
        )


async def nobody_yet(connection: Connection, incident_ids: Sequence[int], now: datetime) -> None:
    """Tell nobody of these incidents for now: they were silenced (in this transaction)."""
    await connection.execute(_NOT_DUE, list(incident_ids), [*_TELLS], now)


async def no_escalation(connection: Connection, incident_ids: Sequence[int], now: datetime) -> None:
    """Tell nobody else of these incidents: somebody acknowledged them (in this transaction)."""
    await connection.execute(_NOT_DUE, list(incident_ids), ["escalated"], now)


async def resolved_notifications(connection: Connection, incident_ids: Sequence[int], now: datetime) -> None:
    """Tell everybody who is told of these incidents that they are resolved (as set in this transaction).

    Who would have been told later is told of neither.
    """
    await connection.execute(_NOT_DUE, list(incident_ids), [*_TELLS], now)
    await connection.execute(_RESOLVED, list(incident_ids), now)
