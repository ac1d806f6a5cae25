"""What the leader writes: how far each detector has come, and the incidents and notifications that follow from it.

One window's outcome is one transaction: incidents, outbox rows, position and evaluated-until time are committed
together, so that a crash repeats a window (which changes nothing the second time) and never skips one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import msgspec

from ...config import Incident, Maintenance, Routing
from ...plugins import Detector, Finding, Json, Seen, rfc3339
from ..storage.database import Connection
from ..storage.leader import Session
from .dependencies import Dependency
from .lifecycle import NEVER, Changes, Damping, Known, Step, changes, is_worse
from .memory import StoredMemory, write_memory
from .outbox import resolved_notifications
from .quiet import Quiet, silenced
from .records import to_datetime, to_ns
from .samples import storable

MAX_TITLE, MAX_ERROR = 500, 2_000  # characters: a title is one line in a list and in a message

_KNOWN = """
select id, dedup_key, state, from_time, case when resolved_by is null then to_time else resolved_at end as until,
       resolved_by is not null as by_hand, severity, opened_at, turned_at, is_well,
       (select evaluated_until from detector_state where project_id = $1 and name = $2) as judged_until
from incident
where project_id = $1 and detector = $2
  and (state <> 'resolved'
       or dedup_key = any($3::text[]) and from_time < $4 and greatest(to_time, resolved_at) > $5
       or dedup_key = any($3::text[]) and to_time > $6 and opened_at > $6)
"""
_ENTER = """
insert into detector_state (project_id, name, type, query, condition, "window", every, notify, severity,
                            evaluated_until, position, memory_of)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (project_id, name) do update
set type = excluded.type, query = excluded.query, condition = excluded.condition, "window" = excluded."window",
    every = excluded.every, notify = excluded.notify, severity = excluded.severity, active = true,
    memory_of = excluded.memory_of,
    -- one that comes back after it was taken out of the configuration begins anew
    evaluated_until = case when detector_state.active then detector_state.evaluated_until
                           else excluded.evaluated_until end,
    learned = case when detector_state.active and detector_state.type = excluded.type
                   then detector_state.learned end,
    position = case when detector_state.active then detector_state.position else excluded.position end
returning name, evaluated_until, position, state, learned
"""
_OPEN = """
insert into incident (project_id, detector, dedup_key, state, severity, title, "group", "values", query,
                      from_time, to_time, opened_at, last_seen_at, samples, timeline,
                      suppressed_by, flaps, turned_at)
values ($1, $2, $3, $13, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11, $12, $14, $15, $16)
returning id
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Up to which time a detector has judged, which events (by position) it has seen, and what it keeps of them."""

    evaluated_until: int
    position: int
    state: str
    learned: bytes | None = None


class Journal:
    """The leader's writes for one project. `notifiers` maps each notifier's name to its type."""

    def __init__(
        self,
        session: Session,
        project_id: int,
        notifiers: Mapping[str, str],
        routing: Routing | None = None,
        maintenance: Mapping[str, Maintenance] = MappingProxyType({}),
    ) -> None:
        self._session, self._project, self._notifiers = session, project_id, notifiers
        self.quiet = Quiet(session, project_id, notifiers, routing or Routing(), maintenance)

    async def enter(self, detectors: Mapping[str, Detector[Any]], now_ns: int, head: int) -> dict[str, Progress]:
        """Make the tables agree with the configuration; answers how far each detector had come.

        A detector that is new begins now. The incidents of one that is gone are resolved: nobody will judge them again.
        A pending notification whose notifier is gone has failed.
        """
        progress: dict[str, Progress] = {}
        configs = {name: detector.config for name, detector in detectors.items()}
        self.quiet.depends = {name: Dependency.of(config) for name, config in configs.items() if config.depends_on}
        now = to_datetime(now_ns)
        async with self._session.transaction() as connection:
            for name, detector in detectors.items():
                await self._forget_if_changed(connection, name, detector)
                row = await connection.fetchrow(
                    _ENTER, self._project, *_described(name, detector), now, head, memory_of(detector)
                )
                assert row is not None
                progress[name] = Progress(to_ns(row["evaluated_until"]), row["position"], row["state"], row["learned"])
            gone = await connection.fetch(
                "update detector_state set active = false, state = 'ok', error = null "
                "where project_id = $1 and active and name <> all($2::text[]) returning name",
                self._project,
                list(detectors),
            )
            orphans = await connection.fetch(
                "select id from incident where project_id = $1 and detector = any($2::text[]) and state <> 'resolved'",
                self._project,
                [row["name"] for row in gone],
            )
            await self._resolve(connection, [row["id"] for row in orphans], now_ns, now_ns)
            await connection.execute(
                "update notification set status = 'failed', error = 'no notifier of this name is configured any more' "
                "where project_id = $1 and status = 'pending' and notifier <> all($2::text[])",
                self._project,
                list(self._notifiers),
            )
        return progress

    async def _forget_if_changed(self, connection: Connection, name: str, detector: Detector[Any]) -> None:
        """A detector that is another one now, or comes back, remembers nothing of before."""
        await connection.execute(
            "delete from detector_memory m using detector_state s where m.project_id = $1 and m.detector = $2 "
            "and s.project_id = $1 and s.name = $2 and (not s.active or s.memory_of <> $3)",
            self._project,
            name,
            memory_of(detector),
        )

    async def known(
        self, connection: Connection, name: str, step: Step, keys: Sequence[str], damping: Damping = NEVER
    ) -> tuple[list[Known], Step]:
        """The incidents of a detector that matter for a step in which `keys` were found; and the step.

        It is judged again if another node, which took over, has come further: a node that was frozen does not know.
        """
        rows = await connection.fetch(
            _KNOWN,
            self._project,
            name,
            list(keys),
            *(to_datetime(at) for at in (step.at_ns, step.from_ns, step.at_ns - damping.within_ns)),
        )
        is_again = any(to_ns(row["judged_until"]) > step.at_ns for row in rows) and not step.late
        known = [
            Known(
                row["id"],
                row["dedup_key"],
                row["state"] != "resolved",
                to_ns(row["from_time"]),
                to_ns(row["until"]),
                row["by_hand"],
                row["severity"],
                to_ns(row["opened_at"]),
                row["turned_at"] and to_ns(row["turned_at"]),
                row["is_well"],
            )
            for row in rows
        ]
        return known, replace(step, again=True) if is_again else step

    async def known_now(self, name: str, step: Step, keys: Sequence[str]) -> tuple[list[Known], Step]:
        """As `known`, in a transaction of its own."""
        async with self._session.transaction() as connection:
            return await self.known(connection, name, step, keys)

    async def open_groups(self, name: str) -> Sequence[Mapping[str, Json]]:
        """The groups of a detector's incidents that are open."""
        async with self._session.transaction() as connection:
            rows = await connection.fetch(
                "select \"group\" from incident where project_id = $1 and detector = $2 and state <> 'resolved'",
                self._project,
                name,
            )
        return [row["group"] for row in rows]

    def memory(self, name: str) -> StoredMemory:
        """A detector's memory, for one step; what it changes is handed to `record`."""

        async def fetch(condition: str, arguments: Sequence[object]) -> Sequence[Mapping[str, Any]]:
            statement = f"select * from detector_memory where project_id = $1 and detector = $2 {condition}"  # noqa: S608
            async with self._session.transaction() as connection:
                return [dict(row) for row in await connection.fetch(statement, self._project, name, *arguments)]

        return StoredMemory(fetch)

    async def record(
        self,
        name: str,
        detector: Detector[Any],
        step: Step,
        found: Mapping[str, Finding],
        samples: Mapping[str, Sequence[Mapping[str, Any]]],
        *,
        resolve_after_ns: int,
        position: int | None,
        now_ns: int,
        learned: bytes | None = None,
        remembered: Mapping[bytes, Seen] = MappingProxyType({}),
    ) -> tuple[Changes, int]:
        """Write the outcome of one step; answers what changed and how many incidents are open now.

        `position`: all events up to it have been judged, None: not yet. `learned`: what the detector keeps from now
        on, None: what it kept before. `remembered`: what the detector's memory gets.

        :raises RetryableError: the database does not answer; nothing was written
        """
        async with self._session.transaction() as connection:
            damping = Damping.of(detector.config)
            known, step = await self.known(connection, name, step, list(found), damping)
            outcome = changes(step, found, known, resolve_after_ns, damping)
            if not (outcome.opens or outcome.resolves or outcome.steady):
                # Nothing that anybody is told of: after a crash the window is judged again, so no disk is waited for.
                await connection.execute("set local synchronous_commit = off")
            for key, finding in outcome.opens:
                flaps = outcome.flapping.get(key, -1) + 1
                await self._open(connection, name, detector, step, key, finding, samples.get(key, ()), now_ns, flaps)
            await self._swung(connection, detector, step, outcome, now_ns)
            await self._seen(connection, step, outcome.seen, {item.id: item.severity for item in known})
            await self._resolve(connection, outcome.resolves, step.at_ns, now_ns)
            await write_memory(connection, self._project, name, remembered)
            still_open = sum(item.is_open for item in known) + len(outcome.opens) - len(outcome.resolves)
            await connection.execute(
                """
                update detector_state
                set evaluated_until = greatest(evaluated_until, $3),
                    position = greatest(position, coalesce($4, position)),
                    state = $5, error = $6, last_run_at = $7, learned = coalesce($8, learned)
                where project_id = $1 and name = $2
                """,
                self._project,
                name,
                to_datetime(step.at_ns),
                position,
                "firing" if still_open else "ok",
                f"{outcome.skipped} more groups are in trouble than can be followed: narrow the query"
                if outcome.skipped
                else None,
                to_datetime(now_ns),
                learned,
            )
        return outcome, still_open

    async def failed(self, name: str, error: str, now_ns: int) -> None:
        """Write that a run failed. Position and time stay, so that the windows are judged later."""
        async with self._session.transaction() as connection:
            await connection.execute(
                "update detector_state set state = 'error', error = $3, last_run_at = $4 "
                "where project_id = $1 and name = $2",
                self._project,
                name,
                storable(error)[:MAX_ERROR],
                to_datetime(now_ns),
            )

    async def _open(
        self,
        connection: Connection,
        name: str,
        detector: Detector[Any],
        step: Step,
        key: str,
        finding: Finding,
        samples: Sequence[Mapping[str, Any]],
        now_ns: int,
        flaps: int,
    ) -> None:
        at, now = to_datetime(step.at_ns), to_datetime(now_ns)
        severity = (finding.severity or detector.config.severity).upper()
        group = storable(dict(finding.group))
        why = (await self.quiet.silent(connection, now)).why(name, severity, group)
        timeline: list[dict[str, Any]] = [{"at": rfc3339(at), "what": "opened", "by": None}]
        if flaps:
            text = f"opened {flaps} times within {detector.config.flaps_within}"
            timeline.append({"at": rfc3339(at), "what": "flapping", "by": None, "text": text})
        incident_id = await connection.fetchval(
            _OPEN,
            self._project,
            name,
            key,
            severity,
            storable(finding.title)[:MAX_TITLE],
            group,
            storable(dict(finding.values)),
            storable(finding.sample_query),
            to_datetime(step.from_ns),
            at,
            storable(list(samples)),
            timeline if why is None else [*timeline, silenced(now, why)],
            "open" if why is None else "silenced",
            None if why is None else why.incident,
            flaps,
            at if flaps else None,
        )
        if why is None:
            incident = Incident(name, severity, group, now)
            await self.quiet.tell(connection, incident_id, incident, detector.config.notify, flaps)

    async def _swung(
        self, connection: Connection, detector: Detector[Any], step: Step, outcome: Changes, now_ns: int
    ) -> None:
        """Write what became of those that flap. Of one that was in trouble throughout people are told as of others."""
        at, now = to_datetime(step.at_ns), to_datetime(now_ns)
        await connection.executemany(
            "update incident set turned_at = $2, is_well = $3, flaps = flaps + $4 where id = $1",
            [(incident_id, at, is_well, int(not is_well)) for incident_id, is_well in outcome.turns],
        )
        for incident_id in outcome.steady:
            row = await connection.fetchrow(
                """
                update incident set turned_at = null, flaps = 0, timeline = timeline || $2::jsonb
                where id = $1 and state <> 'resolved' returning detector, severity, "group", state
                """,
                incident_id,
                [{"at": rfc3339(at), "what": "flapping ended", "by": None}],
            )
            if row is not None and row["state"] == "open":
                incident = Incident(row["detector"], row["severity"], row["group"], now)
                await self.quiet.tell(connection, incident_id, incident, detector.config.notify)

    async def _seen(
        self,
        connection: Connection,
        step: Step,
        seen: Sequence[tuple[int, Finding]],
        severities: Mapping[int, str],
    ) -> None:
        # A late window says nothing of the present: it leaves the values alone.
        await connection.executemany(
            """
            update incident
            set to_time = greatest(to_time, $2), last_seen_at = greatest(last_seen_at, $2),
                from_time = least(from_time, $3), "values" = coalesce($4, "values"),
                severity = case when $5 then $6 else severity end,
                timeline = case when $5 then timeline || $7::jsonb else timeline end
            where id = $1 and state <> 'resolved'
            """,
            [
                (
                    incident_id,
                    to_datetime(step.at_ns),
                    to_datetime(step.from_ns if step.late else step.at_ns),
                    None if step.late else storable(dict(finding.values)),
                    is_worse(finding, severities[incident_id]),
                    (finding.severity or "").upper(),
                    [{"at": rfc3339(to_datetime(step.at_ns)), "what": f"severity {finding.severity}", "by": None}],
                )
                for incident_id, finding in seen
            ],
        )

    async def _resolve(self, connection: Connection, ids: Sequence[int], at_ns: int, now_ns: int) -> None:
        if not ids:
            return
        at = to_datetime(at_ns)
        await connection.execute(
            """
            update incident set state = 'resolved', resolved_at = $2, timeline = timeline || $3::jsonb
            where id = any($1::bigint[]) and state <> 'resolved'
            """,
            list(ids),
            at,
            [{"at": rfc3339(at), "what": "resolved", "by": None}],
        )
        await resolved_notifications(connection, ids, to_datetime(now_ns))


_OUTSIDE_MEMORY = {
    *("every", "resolve_after", "grace", "notify", "severity"),
    *("depends_on", "depends_by", "depends_for"),
    *("flaps", "flaps_within"),
}


def memory_of(detector: Detector[Any]) -> str:
    """A digest of the settings that a detector's memory is about: those that decide what it looks at."""
    settings = detector.config.model_dump(mode="json", exclude=_OUTSIDE_MEMORY)
    return hashlib.sha256(msgspec.json.encode([detector.type, settings], order="sorted")).hexdigest()


def _described(name: str, detector: Detector[Any]) -> tuple[Any, ...]:
    """The columns of detector_state that the configuration fills: only settings that every reader may see."""
    config = detector.config
    query, condition = (getattr(config, setting, None) for setting in ("query", "condition"))
    return (
        name,
        detector.type,
        query if isinstance(query, str) else "",
        condition if isinstance(condition, str) else None,
        config.window,
        config.every,
        config.notify,
        config.severity.upper(),
    )
