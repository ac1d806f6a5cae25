"""Cordwood's own tables for tests of `from …`: rows of every kind, and the same rows in DuckDB, the other rendering."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import duckdb
import pyarrow as pa
from cordwood.core.query import QueryResult, parse
from cordwood.core.query.expressions import condition
from cordwood.core.query.heads import HEADS
from cordwood.core.query.plan import Given, apply_stages, final_cut, output_columns, written
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.core.query.table_plan import Table, table_of
from cordwood.core.query.tables import ARROW_TYPES
from cordwood.core.storage.database import open_pool
from cordwood.core.storage.embedded import EmbeddedPostgres

from .segments import NOW

INCIDENTS = """
insert into incident (project_id, detector, dedup_key, state, severity, title, "group", "values", query, from_time,
                      to_time, opened_at, last_seen_at, resolved_at, resolved_by, samples, timeline)
select p.id, (array['errors', 'Ödnis', 'slow "path"'])[1 + n % 3], 'k' || n,
       case n % 3 when 0 then 'resolved' when 1 then 'open' else 'acknowledged' end,
       (array['WARN', 'ERROR', 'FATAL', 'ERROR'])[1 + n % 4], 'it''s ' || repeat('Überfall ', n % 3) || n,
       jsonb_build_object('service', (array['web', 'api'])[1 + n % 2]), jsonb_build_object('n', n * 1.5),
       'severity>=error | stats count() as n by service',
       t - interval '5 minutes', t, t + interval '123 milliseconds', t + interval '1 minute',
       case when n % 3 = 0 then t + n * interval '90 seconds' end, case when n % 3 = 0 then 'ada@example.org' end,
       '[]', '[]'
from project p, generate_series(1, 12) as n, lateral (select timestamptz '2026-01-31 08:00Z' + n * interval '17 minutes') as x (t)
order by p.id, n
"""  # noqa: E501
ROWS = (
    "insert into project (name) values ('other')",
    INCIDENTS,
    """
    insert into notification (project_id, incident_id, notifier, channel, event, status, payload, attempts, created_at,
                              next_attempt_at, sent_at, error)
    select i.project_id, i.id, (array['ops', 'mail'])[1 + i.id % 2], (array['slack', 'email'])[1 + i.id % 2], 'opened',
           (array['sent', 'failed', 'pending'])[1 + i.id % 3], '{}', '[{}, {}]', i.opened_at, i.opened_at,
           case when i.id % 3 = 0 then i.opened_at + interval '2 seconds' end,
           case when i.id % 3 = 1 then 'HTTP 500: try % again_' end
    from incident i order by i.id
    """,
    """
    insert into audit (at, who, what, project_id, details)
    select timestamptz '2026-01-31 09:00Z' + n * interval '1 hour', (array['ada', 'bob'])[1 + n % 2],
           (array['deletion.create', 'user.add'])[1 + n % 2], p.id, jsonb_build_object('n', n, 'by', 'x"y')
    from project p, generate_series(1, 4) as n order by p.id, n
    """,
    """
    insert into segment (id, project_id, day, min_time, max_time, rows, bytes, level, min_position, max_position,
                         columns, services, hosts, severities, checksum, place, part)
    select nextval('segment_id'), p.id, '2026-01-31', 1769850000123456000 + n * 600000000000::bigint,
           1769850500123456000 + n * 600000000000::bigint, 100 * n, 5000 * n, n % 2, n, n, '[{}, {}, {}]',
           case when n % 3 > 0 then (array['["web"]', '["web", "api"]']::jsonb[])[1 + n % 2] end,
           '["h1"]', 0, '', 'postgresql', 1
    from (select * from project order by id) p, generate_series(1, 9) as n
    """,
    """
    insert into detector_state (project_id, name, type, query, condition, "window", every, notify, severity,
                                evaluated_until, position, last_run_at, error, state)
    select p.id, d, 'threshold', 'error | stats count() as n', 'n > 5', '5m', '1m', '["ops"]', 'ERROR', now(), 1,
           timestamptz '2026-01-31 11:59Z', case when d = 'broken' then 'no field' end,
           case when d = 'broken' then 'error' else 'ok' end
    from project p, unnest(array['errors', 'broken', 'idle']) as d
    """,
    """
    insert into ingest_error (project_id, at, source, pipeline, step, parser, reason, message, event, bytes, attempts,
                              tried_at)
    select p.id, t, (array['files', 'http'])[1 + n % 2], 'web', 1 + n % 2, (array['clf', 'json'])[1 + n % 2],
           'no such line: ' || n, 'GET /' || n || ' Überfall', '\\x80', 10 * n, 1 + n % 3, t + n * interval '1 second'
    from project p, generate_series(1, 6) as n,
         lateral (select timestamptz '2026-01-31 09:30Z' + n * interval '10 minutes') as x (t)
    order by p.id, n
    """,
    """
    insert into recording_state (project_id, name, since, recorded_until, step, keep)
    select p.id, 'errors', timestamptz '2026-01-31 08:00Z', timestamptz '2026-01-31 12:00Z', '1 minute', '1 day'
    from project p
    """,
    """
    insert into metric_series (project_id, recording, labels, digest)
    select p.id, 'errors', jsonb_build_object('service', s, 'host', 'h"1'), sha256(convert_to(s, 'UTF8'))
    from project p, unnest(array['web', 'Überfall']) as s order by p.id, s
    """,
    """
    insert into metric_sample (series_id, at, value)
    select m.id, timestamptz '2026-01-31 10:00Z' + n * interval '1 minute', case when n <> 3 then n * 1.5 end
    from metric_series m, generate_series(1, 6) as n order by m.id, n
    """,
)


@asynccontextmanager
async def filled(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[asyncpg.Pool]:
    """A database with these rows, for project 1 and the same for another one."""
    name = f"tables_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(**postgres.connect_args)
    await admin.execute(f"create database {name} template {migrated}")
    pool = await open_pool(postgres.connect_args | {"database": name}, max_size=4)
    try:
        for statement in ROWS:
            await pool.execute(statement)
        yield pool
    finally:
        await pool.close()
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


class Copy:
    """The rows of project 1 as tables of DuckDB, and the queries as DuckDB's SQL."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("set TimeZone = 'UTC'")

    async def take(self, pool: asyncpg.Pool) -> None:
        for head in HEADS.values():
            rows = await pool.fetch(f"select * from ({head.sql}) as h", 1)
            kinds = {**head.columns, "message": "text"}
            schema = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in kinds.items()])
            table = pa.Table.from_pylist([{name: row[name] for name in kinds} for row in rows], schema)
            types = [pa.timestamp("ns") if kind == "time" else ARROW_TYPES[kind] for kind in kinds.values()]
            self.connection.register(head.name, table.cast(pa.schema(list(zip(kinds, types, strict=True)))))

    def answer(self, text: str, start: int | None = None, end: int | None = None) -> list[list[Any]]:
        query = parse(text, any_head=True)
        given = Given(query, {}, (), {}, Bounds(start, end), Context(NOW, start_ns=start, end_ns=end))
        relation = table_of(HEADS[query.head], given.context)
        relation = relation.where(condition(query.search, relation))
        cut, stages = final_cut(given)
        relation = apply_stages(given, relation, stages)
        outputs, columns = output_columns(relation)
        select = relation.select(*columns)
        if (order := relation.ordering()) is not None:
            select.set("order", order)
        (table,) = relation.scanned
        assert isinstance(table, Table)
        needed = ", ".join(f'"{name}" as "{column}"' for (name, _), column in table.needed.items())
        source = duckdb_select(f'select {needed or 1} from "{query.head}"')
        found = self.connection.sql(written(relation, select.limit(cut), {"events": source})).to_arrow_table()
        return list(QueryResult("", outputs, found).rows())


def duckdb_select(text: str) -> Any:
    from sqlglot import parse_one

    return parse_one(text, dialect="duckdb")
