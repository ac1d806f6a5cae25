"""The journal of systemd, read by `journalctl`: each entry once, over restarts and crashes.

    sources:
      journal: {type: journald, units: [nginx.service, ssh.service]}

The cursor is committed together with the entries before it. Fields: `man systemd.journal-fields`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import polars as pl
from pydantic import AfterValidator

from ..plugins import (
    SYSLOG,
    SYSLOG_NUMBERS,
    Batch,
    Checkpoint,
    Json,
    Need,
    Outlet,
    ProjectConfig,
    RetryableError,
    Source,
    hookimpl,
    in_worker,
    now_ns,
    read_ndjson,
    runnable,
)
from .process import Program, run_program
from .storing import store

_MATCH = re.compile(r"[A-Z0-9_]+=.*", re.DOTALL)
_CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"([^"\\]+)"')
_MOST = 16 * 1024 * 1024  # bytes of an entry; beyond, it is kept in pieces, as text
_DIGITS, _NUMBERS = [str(level) for level in range(8)], [str(number) for number in SYSLOG_NUMBERS]


def _match(text: str) -> str:
    if not _MATCH.fullmatch(text) or "\0" in text:
        raise ValueError(f"{text!r} is no match; write FIELD=VALUE, such as _TRANSPORT=kernel")
    return text


def _unit(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("a unit has a name, such as nginx.service")
    return text


class JournaldConfig(ProjectConfig):
    """Settings of a source of the journal."""

    units: tuple[Annotated[str, AfterValidator(_unit)], ...] = ()
    """Only entries of these units, and about them; patterns such as `nginx*` are allowed. Empty: of all."""
    matches: tuple[Annotated[str, AfterValidator(_match)], ...] = ()
    """Only entries with these fields, as `FIELD=VALUE`; of several values for one field any."""
    start: Literal["beginning", "end"] = "beginning"
    """Where to begin when this source runs for the first time."""
    directory: Path | None = None
    """Where the journal is; default: this system's."""
    command: str = "journalctl"
    """The program that reads it."""


class Journald(Source[JournaldConfig]):
    """Follow systemd's journal. The message, priority, identifier, host and time become the standard fields."""

    def needs(self) -> Sequence[Need]:
        """Its program."""
        return [runnable("command", self.config.command)]

    async def run(self, outlet: Outlet) -> None:
        """Follow until cancelled.

        :raises RetryableError: journalctl ended, or another reads the same journal
        :raises FatalError: there is no journalctl
        """
        stored = await outlet.checkpoint("cursor")

        async def use(program: Program) -> None:
            position = stored
            outlet.started()
            async for output in program.lots():
                position = await self._store(outlet, output, position)
            status = await program.ended()
            raise RetryableError(f"{self.config.command} ended with {status}: {program.complaint or 'without a word'}")

        await run_program(self._arguments(stored), use, most=_MOST)

    def _arguments(self, stored: Json) -> list[str]:
        config = self.config
        cursor = stored.get("cursor") if isinstance(stored, Mapping) else None
        given = [config.command, "--follow", "--all", "--output=json", "--no-pager", "--quiet"]
        if cursor:
            given += ["--no-tail", f"--after-cursor={cursor}"]
        else:
            given.append("--no-tail" if config.start == "beginning" else "--lines=0")
        if config.directory is not None:
            given.append(f"--directory={config.directory}")
        return [*given, *(f"--unit={unit}" for unit in config.units), *config.matches]

    async def _store(self, outlet: Outlet, output: bytes, position: Json) -> Json:
        """Commit entries with the cursor of the last; the position after them.

        :raises CheckpointConflictError: another reads the same journal
        """
        found = _CURSOR.match(output, max(0, output.rfind(b'"__CURSOR"')))
        value: Json = {"cursor": found[1].decode("utf-8", "replace")} if found else position
        checkpoint = Checkpoint("cursor", value, position) if found else None
        batch = await in_worker(read_entries, output, now_ns())
        await store(outlet, batch, checkpoint=checkpoint, received=len(output))
        return value


def read_entries(output: bytes, observed: int) -> Batch:
    """Entries as journalctl writes them in JSON, a line each, to events, in order."""
    return read_ndjson(output, observed, flat=understood)


def understood(frame: pl.DataFrame) -> pl.DataFrame:
    """The flat columns under the names of events; addresses in the journal (`__…`) are left out."""
    frame = frame.with_columns(_decoded(frame[name]).alias(name) for name in frame.columns if name.endswith("#json"))
    names = set(frame.columns)
    nothing = pl.repeat(None, pl.len(), dtype=pl.String)

    def text(*fields: str) -> pl.Expr:
        parts = [pl.col(column) for field in fields for column in (field, f"{field}#json") if column in names]
        return pl.coalesce(*(part.cast(pl.String) for part in parts), nothing)

    level = text("PRIORITY")
    own = [
        text("MESSAGE", "message").alias("message"),
        text("SYSLOG_IDENTIFIER", "_COMM").alias("service"),
        text("_HOSTNAME").alias("host"),
        text("__REALTIME_TIMESTAMP").cast(pl.Int64, strict=False).alias("timestamp"),
        level.replace_strict(_DIGITS, _NUMBERS, default=None, return_dtype=pl.String).alias("severity"),
        level.replace_strict(_DIGITS, SYSLOG, default=None, return_dtype=pl.String).alias("severity_text"),
    ]
    gone = {"MESSAGE", "message", "PRIORITY", "_HOSTNAME"}
    fields = dict.fromkeys(name.removesuffix("#json") for name in frame.columns)
    rest = [name for name in fields if name not in gone and not name.startswith("__")]
    return frame.select(*(text(name).alias(name) for name in rest), *own)


def _decoded(column: pl.Series) -> pl.Series:
    """Values that are no UTF-8 text come as arrays of their bytes, fields with several values as arrays of texts."""

    def one(text: str) -> str:
        value = msgspec.json.decode(text)
        if isinstance(value, list) and value and all(isinstance(part, int) and 0 <= part < 256 for part in value):
            return bytes(value).decode("utf-8", "backslashreplace")
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return "\n".join(value)
        return text

    return pl.Series([None if text is None else one(text) for text in column], dtype=pl.String)


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of systemd's journal."""
    return [Journald]
