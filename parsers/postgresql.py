r"""Logs of PostgreSQL: the text of `stderr` with any `log_line_prefix`, `csvlog`, and `jsonlog`.

    parse: [{type: postgresql, prefix: "%m [%p] %q%u@%d "}]

    2026-01-31 12:00:00.123 UTC [1234] shop@orders ERROR:  relation "carts" does not exist at character 15

Source: PostgreSQL, "Error Reporting and Logging". Which of the three a line has is seen from it. A statement's time
(`log_min_duration_statement`) is `duration_ms`, the statement `db.query.text`.
"""

from __future__ import annotations

import re
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator

from ..plugins import Batch, Parser, PluginConfig, hookimpl, normalise
from .forms import Form, read_forms, share, spoken
from .json import Json, JsonConfig

_LEVELS = {f"debug{number}": 5 for number in range(1, 6)} | {"log": 9, "statement": 9, "detail": 9, "hint": 9,
           "context": 9, "query": 9, "panic": 22}  # fmt: skip
_WORDS = "DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY"
_TEXT = r"[^\n]*?"
_ZONES = r"(?: (?:UTC|GMT|[+-][0-9:]{2,6}))?"
_TIME = rf"(?P<timestamp>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} [0-9:]{{8}}(?:\.[0-9]{{3}})?{_ZONES})(?: [A-Z]{{2,5}})?"
_CODES = {
    "a": ("application_name", _TEXT), "u": ("user", _TEXT), "d": ("db.namespace", _TEXT),
    "r": ("client", r"[^\s]*?"), "h": ("client.ip", r"[^\s]*?"), "L": ("local.ip", r"[^\s]*?"),
    "b": ("postgresql.backend", _TEXT), "p": ("process.pid", "[0-9]+"), "P": ("process.parent_pid", "[0-9]*"),
    "t": ("timestamp", ""), "m": ("timestamp", ""),
    "n": ("timestamp", ""), "i": ("postgresql.command", _TEXT),
    "e": ("db.response.status_code", "[0-9A-Z]{5}"), "c": ("postgresql.session_id", r"[0-9a-f]+\.[0-9a-f]+"),
    "l": ("postgresql.session_line", "[0-9]+"), "s": ("postgresql.session_start", _TEXT),
    "v": ("postgresql.virtual_transaction", r"[0-9/]*"), "x": ("postgresql.transaction", "[0-9]+"),
    "Q": ("postgresql.query_id", "-?[0-9]+"),
}  # fmt: skip
_NUMBERS = {"process.pid": "int", "process.parent_pid": "int", "postgresql.session_line": "int", "duration_ms": "float",
            "client.port": "int", "postgresql.query_id": "int", "postgresql.transaction": "int"}  # fmt: skip
_LAYOUTS = tuple(f"%Y-%m-%d %H:%M:%S{part}" for part in (".%f %Z", ".%f", ".%f %z", " %Z", "", " %z"))
_DURATION = (
    r"^duration: (?P<duration_ms>[0-9.]+) ms"
    r"(?:  (?:statement|(?:execute|parse|bind) [^:\n]*): (?P<db.query.text>(?s:.*))|.*)$"
)
_CSV = (
    "timestamp", "user", "db.namespace", "process.pid", "client", "postgresql.session_id", "postgresql.session_line",
    "postgresql.command", "postgresql.session_start", "postgresql.virtual_transaction", "postgresql.transaction",
    "severity", "db.response.status_code", "message", "postgresql.detail", "postgresql.hint",
    "postgresql.internal_query", "postgresql.internal_query_pos", "postgresql.context", "db.query.text",
    "postgresql.query_pos", "postgresql.location", "application_name", "postgresql.backend",
    "postgresql.leader_pid", "postgresql.query_id",
)  # fmt: skip
_JSON = {
    "user": "user", "dbname": "db.namespace", "pid": "process.pid", "remote_host": "client.ip",
    "remote_port": "client.port", "session_id": "postgresql.session_id",
    "line_num": "postgresql.session_line", "ps": "postgresql.command",
    "session_start": "postgresql.session_start", "vxid": "postgresql.virtual_transaction",
    "txid": "postgresql.transaction", "error_severity": "severity", "state_code": "db.response.status_code",
    "detail": "postgresql.detail", "hint": "postgresql.hint", "context": "postgresql.context",
    "statement": "db.query.text", "backend_type": "postgresql.backend", "query_id": "postgresql.query_id",
    "application_name": "application_name",
}  # fmt: skip


_JSON_LINE = r'^\{"timestamp":"[^"]*",.*"error_severity":"'


class PostgresqlConfig(PluginConfig):
    """Settings of the PostgreSQL parser."""

    prefix: str = Field("%m [%p] %q%u@%d ", min_length=1, max_length=200)
    """The server's `log_line_prefix`. The default reads PostgreSQL's own, `%m [%p] `, and Debian's; RDS has
    `%t:%r:%u@%d:[%p]:`."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of the server's clock (`log_timezone`): the abbreviation in the lines is no zone."""

    @field_validator("prefix")
    @classmethod
    def _is_prefix(cls, prefix: str) -> str:
        _prefix(prefix)
        return prefix


class Postgresql(Parser[PostgresqlConfig]):
    """Take time, severity, process, user, database, client, code, duration and statement from a line of PostgreSQL."""

    @cached_property
    def _forms(self) -> tuple[Form, ...]:
        return (_stderr(self.config.prefix), _csvlog())

    def parse(self, batch: Batch) -> Batch:
        """Lines that belong to the one before, such as DETAIL and STATEMENT, are events of their own."""
        message, zone = batch.frame["message"], self.config.timezone
        structured = message.str.contains(r'^\{"timestamp":"').fill_null(value=False)
        if not structured.any():
            return read_forms(batch, self._forms, zone=zone, who=self.type, what="a PostgreSQL log")
        plain = Batch(batch.frame.with_columns(message.set(structured, None)))
        read = read_forms(plain, self._forms, zone=zone, who=self.type, what="a PostgreSQL log").frame
        whole = Batch.of(read.with_columns(message.zip_with(structured, read["message"])))
        return _jsonlog(whole, structured, zone)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of lines with the default prefix, of `csvlog` or of `jsonlog`."""
        return share(messages, _stderr(PostgresqlConfig().prefix).pattern, _csvlog().pattern, _JSON_LINE)


def _prefix(prefix: str) -> str:
    """The regular expression of a `log_line_prefix`.

    :raises ValueError: it has an unknown escape, or none for a time
    """
    pattern, at, optional, seen = "", 0, False, set()
    for found in re.finditer(r"%-?[0-9]*(.)", prefix):
        pattern += re.escape(prefix[at : found.start()])
        at = found.end()
        code = found[1]
        if code == "%":
            pattern += "%"
        elif code == "q":
            pattern, optional = pattern + "(?:", True
        elif code not in _CODES:
            raise ValueError(f"%{code} is no escape of log_line_prefix; there are {' '.join(sorted(_CODES))}")
        else:
            name, text = _CODES[code]
            if name in seen:
                raise ValueError(f"%{code} says again what came before")
            # The server pads with blanks where the escape has a width, such as %-10u.
            pattern += _time(code) if name == "timestamp" else rf" *(?P<{name}>{text}) *?"
            seen.add(name)
    if "timestamp" not in seen:
        raise ValueError("the prefix has no time; begin log_line_prefix with %m")
    return pattern + re.escape(prefix[at:]) + (")?" if optional else "")


def _time(code: str) -> str:
    return r"(?P<timestamp>[0-9]{10}\.[0-9]{3})" if code == "n" else _TIME


def _stderr(prefix: str) -> Form:
    return Form.of(
        rf"^{_prefix(prefix)}(?P<severity>{_WORDS}): +(?:(?P<state>[0-9A-Z]{{5}}): )?(?P<message>(?s:.*))$",
        *(() if "%n" in prefix else _LAYOUTS),
        kinds=_NUMBERS,
        levels=_LEVELS,
        nothing=("", "[unknown]", "[local]"),
        derive=_derived,
    )


def _csvlog() -> Form:
    fields = [rf'(?:"(?P<{name}>(?:[^"]|"")*)"|(?P<{name}_>[^",]*))' for name in _CSV[:23]]
    later = "".join(rf'(?:,(?:"(?P<{name}>(?:[^"]|"")*)"|(?P<{name}_>[^",]*)))?' for name in _CSV[23:])
    return Form.of(
        "^" + ",".join([_TIME, *fields[1:]]) + later + "$",
        *_LAYOUTS,
        kinds=_NUMBERS,
        levels=_LEVELS,
        nothing=("", "[local]"),
        derive=_unquoted,
    )


def _unquoted(groups: pl.DataFrame) -> pl.DataFrame:
    """One column of each field of a csvlog: what stood in quotes, or without."""
    bare = {name: f"{name}_" for name in _CSV[1:]}
    joined = [pl.coalesce(pl.col(name).str.replace_all('""', '"'), other).alias(name) for name, other in bare.items()]
    groups = groups.with_columns(joined).drop(bare.values())
    said = pl.all().exclude("message", "timestamp")
    return _derived(groups.with_columns(pl.when(said != "").then(said)))


def _derived(groups: pl.DataFrame) -> pl.DataFrame:
    """With the client's address and port apart, the SQLSTATE, the duration and the statement."""
    parts = groups["message"].str.extract_groups(_DURATION).struct.unnest()
    columns = {name: parts[name] for name in ("duration_ms", "db.query.text")}
    if "db.query.text" in groups.columns:
        columns["db.query.text"] = groups["db.query.text"].zip_with(
            groups["db.query.text"].is_not_null(), parts["db.query.text"]
        )
    if "client" in groups.columns:
        client = (
            groups["client"]
            .str.extract_groups(r"^(?P<ip>[^(\s]*?)(?:\((?P<port1>[0-9]+)\)|:(?P<port2>[0-9]+))?$")
            .struct.unnest()
        )
        local = client["ip"].is_in(["[local]", ""])
        columns |= {
            "client.ip": client["ip"].set(local, None),
            "client.port": client["port1"].zip_with(client["port1"].is_not_null(), client["port2"]),
        }
        groups = groups.drop("client")
    if "state" in groups.columns:
        state = groups["state"]
        before = groups["db.response.status_code"] if "db.response.status_code" in groups.columns else state
        columns["db.response.status_code"] = before.zip_with(before.is_not_null(), state)
        groups = groups.drop("state")
    return groups.with_columns(**columns)


def _jsonlog(batch: Batch, structured: pl.Series, zone: ZoneInfo) -> Batch:
    """The events of which `structured` are lines of jsonlog."""
    text = batch.frame["message"].set(~structured, None)
    bare = Batch.of(batch.frame.select("observed_timestamp").with_columns(text))
    frame = Json(JsonConfig()).parse(bare).frame
    times = text.str.extract(rf'^\{{"timestamp":"{_TIME}"').alias("timestamp")
    found = frame.select(
        frame["message"], *(pl.col(name).alias(_JSON[name]) for name in _JSON if name in frame.columns)
    )
    if "severity" in found.columns:
        found = spoken(found, _LEVELS)
    found = found.with_columns(
        Form.of("^(?P<timestamp>.*)$", *_LAYOUTS).times(times, batch.frame["observed_timestamp"], zone)
    )
    where = structured & found["timestamp"].is_not_null() & found["message"].is_not_null()
    read = normalise(_derived(found), None, zone=zone)
    return batch.merged(read, where=where, error=_marked(structured & ~where))


def _marked(where: pl.Series) -> pl.Series:
    return pl.select(pl.when(where).then(pl.lit("postgresql: no line of jsonlog"))).to_series()


@hookimpl
def cordwood_plugins() -> list[type[Postgresql]]:
    """The PostgreSQL parser."""
    return [Postgresql]
