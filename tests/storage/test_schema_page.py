"""The diagram in `docs/schema.md` is that of the database that the migrations make."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import asyncpg
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.anyio
async def test_the_page_is_of_the_live_schema(database_url: str) -> None:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    connection = await asyncpg.connect(database_url)
    page = (DOCS / "schema.md").read_text()
    try:
        made = await generate.schema_page(connection)
        assert page == made, "old: run `make docs`"
        await connection.execute("create table cordwood.one_more (id int primary key references cordwood.project)")
        more = await generate.schema_page(connection)
        assert "    one_more {\n        integer id PK, FK\n    }\n" in more
        assert '    project ||--o{ one_more : "id"\n' in more
    finally:
        await connection.close()
