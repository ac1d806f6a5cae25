"""The tables of a database as a diagram: `docs/schema.md`, made from a live one that the migrations made."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import asyncpg

ABOUT = """\
What a release's migrations make, read from a live PostgreSQL. `PK` is part of the primary key, `FK` leads to
another table; a table in parts is drawn once. What is in them: [architecture](architecture.md), [storage](storage.md).
"""
_COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any(k.conkey)),
       exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any(k.conkey))
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where n.nspname = 'cordwood' and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
  and not a.attisdropped
order by c.relname, a.attnum
"""
_KEYS = """
select distinct c.relname, f.relname, k.conname,
       (select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum = any(k.conkey)),
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.conkey) and not a.attnotnull)
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and n.nspname = 'cordwood' and not c.relispartition
order by 1, 2, 3
"""


async def schema_page(connection: asyncpg.Connection, made: str) -> str:
    """The page; `made` says that it is not to be edited."""
    columns = await connection.fetch(_COLUMNS)
    keys = await connection.fetch(_KEYS)
    lines = ["erDiagram"]
    for table, rows in groupby(columns, key=lambda row: row[0]):
        lines += [f"    {table} {{", *(f"        {_column(row)}" for row in rows), "    }"]
    for table, other, _, names, optional in keys:
        lines.append(f'    {other} {"|o" if optional else "||"}--o{{ {table} : "{names}"')
    return "\n".join(["# Schema\n", made, ABOUT, "```mermaid", *lines, "```", ""])


def _column(row: Any) -> str:
    _, name, kind, not_null, primary, foreign = row
    marks = ", ".join(mark for mark, there in (("PK", primary), ("FK", foreign)) if there)
    kind = kind.replace("timestamp with time zone", "timestamptz").replace("double precision", "float8")
    words = re.sub(r"[^A-Za-z0-9_\[\]]+", "_", kind)
    return " ".join(part for part in (words, name, marks, "" if not_null else '"may be null"') if part)
