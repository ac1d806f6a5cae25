"""`make docs`: the pages that follow from the code; `--check` writes nothing and ends with 1 where one is old."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from cordwood.config.branches import ROUTE
from cordwood.config.schema import pipeline_schema
from cordwood.core.alerting.metrics import DECLARED as ALERTING_METRICS
from cordwood.core.forwarding.metrics import DECLARED as FORWARDING_METRICS
from cordwood.core.query.aggregate import AGGREGATES
from cordwood.core.query.function import Signature, built_in_functions
from cordwood.core.query.heads import HEADS
from cordwood.core.query.mistakes import words_of
from cordwood.core.query.parser import query_parser
from cordwood.core.query.stages import built_in_stages
from cordwood.core.runtime.metrics import DECLARED as NODE_METRICS
from cordwood.core.storage.database import Connection, migrate, open_pool
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.docs.packages import javascript_packages, python_packages
from cordwood.docs.plugin_pages import TEXTS, plugin_page
from cordwood.docs.tables import KINDS, escaped, sentence, table
from cordwood.plugins import Registry, load_plugins

FOLDER = Path(__file__).parent
MADE = "<!-- Made by `make docs` from the code: do not edit. -->\n"
ABOUT = """\
Every section and setting, and those of each built-in plugin. `cordwood check FILE` names what is wrong in a file;
`cordwood schema pipeline` prints the same as JSON Schema, with the plugins that you have installed, for editors.

A value may hold `${NAME}` (of the environment), `${NAME:-default}`, `${file:/run/secrets/x}`, and `${aws-secret:NAME}`
or `${aws-secret:NAME#KEY}` (of AWS Secrets Manager, see [aws.md](aws.md)); `$${` stands for `${`. They resolve when
the file is read, and what they resolve to shows nowhere.
"""
METRICS = """\
`GET /metrics` is for Prometheus, in its text format or as OpenMetrics; with accounts it needs a token that may query.
Names are stable, and hold their units. Counters begin at zero when the node starts. A source may count more:
`cordwood_source_NAME_total` with the labels `source` and `type`. Alerts on these, with what to do:
[operations](operations/README.md).

With `CORDWOOD_METRICS=emf` a node also writes them to standard output once a minute, as lines in CloudWatch's Embedded
Metric Format: namespace `Cordwood`, dimensions `role` and the labels, counters as what was added since. Where the
container's log goes to CloudWatch Logs, as on ECS, they are metrics there, and nothing is called for them.
"""


def language() -> str:
    """Stages, aggregates and functions of the query language."""
    parts = [
        "# Query language: reference\n",
        MADE,
        "How a query is read, and a recipe for each usual task: [language.md](language.md).\n",
        "## Heads\n",
        "What a query reads: the events, or with `from NAME` at its head one of Cordwood's own tables.\n",
        heads(),
        "## Stages\n",
    ]
    for name, stage in built_in_stages().items():
        parts += [f"### {name}\n", fenced(textwrap.dedent(f"    {stage.DOC}")) + "\n"]
    parts += ["## Aggregates\n", "In `stats` and `timechart`.\n", calls(AGGREGATES)]
    parts += ["## Functions\n", "In expressions, and in `stats` around aggregates.\n", calls(built_in_functions())]
    return "\n".join(parts)


def heads() -> str:
    """A table of what `from` reads."""
    rows = []
    for head in HEADS.values():
        columns = ", ".join(f"`{name}` {kind}" for name, kind in head.columns.items())
        rows.append(f"| `from {head.name}` | {sentence(head.doc)} | {columns} |")
    return "\n".join(["| as in | reads | columns |", "|---|---|---|", *rows, ""])


@cache
def built_in() -> Registry:
    """The plugins that come with Cordwood."""
    return Registry(
        kinds={
            kind: {name: plugin for name, plugin in plugins.items() if plugin.cls.__module__.startswith("cordwood.")}
            for kind, plugins in load_plugins().kinds.items()
        },
    )


def configuration() -> str:
    """Sections and plugins of a pipeline file."""
    own = built_in()
    schema = pipeline_schema(own)
    definitions, sections = schema["$defs"], schema["properties"]
    parts = [
        "# Pipeline file: reference\n",
        MADE,
        ABOUT,
        "## The file\n",
        table(sections, schema.get("required", ()), definitions),
    ]
    for section in ("store", "limits"):
        parts += [f"## {section}\n", table(sections[section]["properties"], (), definitions)]
    parts += ["## sign_in\n", table(sections["sign_in"]["properties"], (), definitions)]
    provider = definitions["OidcSettings"]
    parts += ["## sign_in.oidc\n", table(provider["properties"], provider.get("required", ()), definitions)]
    pipeline = sections["pipelines"]["additionalProperties"]
    parts += ["## A pipeline\n", table(pipeline["properties"], pipeline.get("required", ()), definitions)]
    report = sections["reports"]["additionalProperties"]
    parts += ["## A report\n", table(report["properties"], report.get("required", ()), definitions)]
    recording = sections["recordings"]["additionalProperties"]
    parts += ["## A recording\n", table(recording["properties"], recording.get("required", ()), definitions)]
    rota = sections["rotas"]["additionalProperties"]
    parts += ["## A rota\n", table(rota["properties"], rota.get("required", ()), definitions)]
    parts += ["## A route\n", table(definitions["Route"]["properties"], (), definitions)]
    for kind, title in KINDS.items():
        parts += [f"## {title}\n"]
        for name in sorted([*own.kinds.get(kind, {}), *([ROUTE] if kind == "parser" else [])]):
            plugin = definitions[f"{kind}.{name}"]
            rest = {key: value for key, value in plugin["properties"].items() if key != "type"}
            parts += [f"### {name}\n", inspect.cleandoc(plugin["description"]) + "\n"]
            parts += [table(rest, plugin.get("required", ()), definitions)] if rest else []
    return "\n".join(parts)


def fenced(text: str) -> str:
    """Markdown whose indented blocks are fenced ones."""
    block = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
    return block.sub(lambda found: f"```\n{textwrap.dedent(found[0])}```\n", text.rstrip() + "\n").strip()


def calls(signatures: Mapping[str, Signature]) -> str:
    """A table of functions."""
    rows = [f"| `{escaped(one.usage)}` | {sentence(one.doc)} |" for _, one in sorted(signatures.items())]
    return "\n".join(["| as in | gives |", "|---|---|", *rows, ""])


def highlighting() -> str:
    """The query language's colours for editors: a TextMate grammar, as VS Code, Sublime, IntelliJ and Shiki read."""

    def words(names: Iterable[str]) -> str:
        return "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))

    stages = built_in_stages()
    options = {word for terminal in query_parser().terminals for word in words_of(terminal.pattern)} - stages.keys()
    keywords = words({word.rstrip("=") for word in options} - {"true", "false", "null"})
    calls = words({*built_in_functions(), *AGGREGATES, "p50", "p90", "p95", "p99", "p99.9"})
    patterns = [
        ("string.regexp", r"(?<![\w/])/(?:[^/\\\n]|\\.)+/i?(?=[\s)|,]|$)"),
        ("string.quoted.double", r'"(?:[^"\\]|\\.)*"'),
        ("string.quoted.single", r"'(?:[^'\\]|\\.)*'"),
        ("entity.name.function.saved", r"`(?:[^`\\]|\\.)+`(?=\()"),
        ("variable.other.quoted", r"`(?:[^`\\]|\\.)+`"),
        ("variable.parameter", r"\$[A-Za-z_]\w*"),
        ("keyword.control.stage", rf"(?i)(?<=\|)\s*(?:{words(stages)})(?![\w.])"),
        ("keyword.control.head", r"(?i)^\s*from(?=\s)"),
        ("support.function", rf"(?i)(?<![\w.])(?:{calls}|p\d+(?:\.\d+)?)(?=\s*\()"),
        ("keyword.operator.word", rf"(?i)(?<![\w.])(?:{keywords})(?![\w.:])"),
        ("constant.language", r"(?i)(?<![\w.])(?:true|false|null)(?![\w.])"),
        ("variable.other.field", r"@?[^\W\d][\w.@/-]*(?=:(?!//)|~|[<>]|!?=)"),
        (
            "constant.numeric",
            r"(?<![\w.])(?:(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdw]))+|\d+(?:\.\d+)?(?:[eE][+-]?\d+|[kKmMgGtTpP]?i?[bB])?)(?![\w.])",
        ),
        ("keyword.operator", r"!=|<=|>=|==|[=<>~:|*%+-]"),
    ]
    grammar = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Cordwood query",
        "scopeName": "source.cordwood",
        "fileTypes": ["cordwood"],
        "patterns": [{"name": f"{name}.cordwood", "match": match} for name, match in patterns],
    }
    return json.dumps(grammar, indent=2, ensure_ascii=False) + "\n"


def metrics() -> str:
    """What `/metrics` shows."""
    rows = [
        f"| `{one.shown}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {sentence(one.about)} |"
        for one in sorted([*NODE_METRICS, *ALERTING_METRICS, *FORWARDING_METRICS], key=lambda one: one.shown)
    ]
    return "\n".join(["# Metrics\n", MADE, METRICS, "| name | kind | labels | what |", "|---|---|---|---|", *rows, ""])


SCHEMA = """\
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
CATALOGUE = """\
Every plugin that comes with Cordwood, by the word that a pipeline file knows it by. `cordwood plugins list` has those
that you have installed as well. How to write one: [plugins](plugins.md).
"""


def catalogue() -> str:
    """The built-in plugins by kind, each in a line."""
    parts = ["# Plugins: catalogue\n", MADE, CATALOGUE]
    for kind, title in KINDS.items():
        own = dict(sorted(built_in().kinds.get(kind, {}).items()))
        shown = {name: f"[`{name}`]({TEXTS[kind]}/{name}.md)" if kind in TEXTS else f"`{name}`" for name in own}
        rows = [f"| {shown[name]} | {sentence(plugin.summary)} |" for name, plugin in own.items()]
        parts += [
            f"## {title}\n",
            f"{len(own)} of them; [their settings](configuration.md#{title.lower()}).\n",
            "| type | what it does |",
            "|---|---|",
            *rows,
            "",
        ]
    return "\n".join(parts)


LICENCES = """\
What a wheel or an image of Cordwood brings with it, pinned in `requirements.txt` and `web/ui/package-lock.json`, and
under which licence its authors say it is. Packages for extras and for development are not among them. Cordwood's own:
Apache-2.0.
"""


def licences() -> str:
    """The packages that are shipped, from their own words."""
    parts = ["# Licences\n", MADE, LICENCES]
    for title, packages in (("Python", python_packages()), ("JavaScript, in the UI", javascript_packages())):
        rows = [f"| {one.name} | {one.version} | {one.licence} |" for one in packages]
        parts += [f"## {title}\n", "| package | version | licence |", "|---|---|---|", *rows, ""]
    return "\n".join(parts)


async def schema_page(connection: Connection) -> str:
    """The tables and keys of a live database as a diagram."""
    columns = await connection.fetch(_COLUMNS)
    keys = await connection.fetch(_KEYS)
    lines = ["erDiagram"]
    for name, rows in groupby(columns, key=lambda row: row[0]):
        lines += [f"    {name} {{", *(f"        {_column(row)}" for row in rows), "    }"]
    for name, other, _, names, optional in keys:
        lines.append(f'    {other} {"|o" if optional else "||"}--o{{ {name} : "{names}"')
    return "\n".join(["# Schema\n", MADE, SCHEMA, "```mermaid", *lines, "```", ""])


def _column(row: Any) -> str:
    _, name, kind, not_null, primary, foreign = row
    marks = ", ".join(mark for mark, there in (("PK", primary), ("FK", foreign)) if there)
    kind = kind.replace("timestamp with time zone", "timestamptz").replace("double precision", "float8")
    words = re.sub(r"[^A-Za-z0-9_\[\]]+", "_", kind)
    return " ".join(part for part in (words, name, marks, "" if not_null else '"may be null"') if part)


async def live(folder: Path) -> str:
    """The page that needs a database, made from one that is started for it."""
    server = EmbeddedPostgres(folder)
    async with server.running():
        pool = await open_pool(server.connect_args)
        await migrate(pool, server.connect_args)
        async with pool.acquire() as connection:
            page = await schema_page(connection)
        await pool.close()
    return page


PAGES: dict[str, Callable[[], str]] = {
    "language-reference.md": language,
    "configuration.md": configuration,
    "../core/query/cordwood.tmLanguage.json": highlighting,
    "metrics.md": metrics,
    "catalogue.md": catalogue,
    "licences.md": licences,
}


def plugin_pages() -> dict[str, Callable[[], str]]:
    """A page for each plugin of the kinds that have texts."""
    definitions = pipeline_schema(built_in())["$defs"]
    return {
        f"{folder}/{name}.md": partial(plugin_page, plugin.cls, definitions)
        for kind, folder in TEXTS.items()
        for name, plugin in built_in().kinds[kind].items()
    }


def main() -> None:
    pages = PAGES | plugin_pages()
    old = [
        name for name, make in pages.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != make()
    ]
    old += [
        f"{folder}/{path.name}"
        for folder in TEXTS.values()
        for path in (FOLDER / folder).glob("*.md")
        if f"{folder}/{path.name}" not in pages
    ]  # of a plugin that is gone
    if "--check" in sys.argv[1:]:
        sys.exit(f"old, run `make docs`: {', '.join(old)}" if old else 0)
    for name in old:
        if name in pages:
            (FOLDER / name).parent.mkdir(exist_ok=True)
            (FOLDER / name).write_text(pages[name]())
        else:
            (FOLDER / name).unlink()
        sys.stdout.write(f"docs/{name}\n")
    with tempfile.TemporaryDirectory(prefix="cordwood-docs-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as a user of its own where root runs this
        page = asyncio.run(live(Path(folder)))
    # That this one is not old is a test's business, which has a database.
    if not (target := FOLDER / "schema.md").exists() or target.read_text() != page:
        target.write_text(page)
        sys.stdout.write("docs/schema.md\n")


if __name__ == "__main__":
    main()
