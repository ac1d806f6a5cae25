"""What no other step does, by a script of yours: a function that gets an event and returns it.

    parse:
      - type: starlark
        script: |
          def apply(event):
              if event.get("status", 0) >= 500:
                  event["team"] = "on-call"
              return event

Starlark is a small Python without files, network, clock, imports, recursion and `while`. It is run by starlark-rust
(`cordwood[starlark]`), a maintained implementation that is safe by design; it bounds neither time nor memory, so a
process of its own does.
"""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
from pydantic import Field, field_validator

from ...plugins import Batch, Duration, Parser, PluginConfig, duration_ns, hookimpl, read_lines, split_column
from .runner import Answer, Runner

_MIB = 1024 * 1024
_FIXED = ("timestamp", "observed_timestamp", "parse_error")


class StarlarkConfig(PluginConfig):
    """Settings of running a script."""

    script: str = Field(min_length=1, max_length=100_000)
    """The script; `${file:/etc/cordwood/shop.star}` reads it from a file. It has a function `apply(event)`."""
    timeout: Duration = "1s"
    """How long it may take for 200 events; ten seconds at most."""
    memory_mib: int = Field(64, ge=16, le=2048)
    """Memory that it may take, in MiB (on Linux)."""
    max_bytes: int = Field(1_000_000, ge=1_000, le=16_000_000)
    """Bytes that it may change in one event."""

    @field_validator("script")
    @classmethod
    def _reads(cls, script: str) -> str:
        try:
            import starlark

            from .child import FUNCTION, parsed
        except ImportError:
            raise ValueError("the parser starlark needs starlark-pyo3: pip install 'cordwood[starlark]'") from None
        try:
            parsed(script)
        except starlark.StarlarkError as why:
            raise ValueError(f"no Starlark: {str(why).strip()}") from None
        if f"def {FUNCTION}(" not in script:
            raise ValueError(f"it lacks its function: def {FUNCTION}(event):")
        return script


class Starlark(Parser[StarlarkConfig]):
    """Have each event changed by a script in Starlark, a small Python.

    Python and Starlark an event: slower than any other step. The script runs in a process of its own, which is ended
    when it takes too much time or memory; events that it fails on stay as they came, with `parse_error`.
    """

    def __init__(self, config: StarlarkConfig) -> None:
        super().__init__(config)
        timeout = duration_ns(config.timeout) / 1e9
        if not 0.01 <= timeout <= 10:
            raise ValueError("timeout: use 10ms to 10s")
        self._runner = Runner(
            config.script, memory=config.memory_mib * _MIB, most=config.max_bytes, timeout=timeout
        )  # fmt: skip

    def parse(self, batch: Batch) -> Batch:
        """The events with what the script set and without what it took out."""
        if not len(batch):
            return batch
        events = batch.events()
        encode = msgspec.msgpack.Encoder().encode
        answers = self._runner.run([encode(event) for event in events])
        emptied = _without(batch, answers)
        records = [_record(event, answer) for event, answer in zip(events, answers, strict=True)]
        changed = pl.Series([record is not None for record in records], dtype=pl.Boolean)
        error = pl.Series([f"starlark: {one}" if isinstance(one, str) else None for one in answers], dtype=pl.String)
        if not changed.any():
            return Batch(emptied.frame.with_columns(parse_error=emptied.frame["parse_error"].fill_null(error)))
        found = read_lines([msgspec.json.encode(record or {"message": ""}) for record in records], None)
        return emptied.merged(found, where=changed, error=error, replaces=("message",))


def _record(event: dict[str, Any], answer: Answer) -> dict[str, Any] | None:
    """What the script set in an event, as an object that came alone; None: nothing."""
    if isinstance(answer, str) or not answer[0]:
        return None
    message = {"message": event["message"]} if "message" in event and "message" not in answer[1] else {}
    return message | answer[0]


def _without(batch: Batch, answers: list[Answer]) -> Batch:
    """The events without the fields that the script took out."""
    gone: dict[str, list[int]] = {}
    for row, answer in enumerate(answers):
        if not isinstance(answer, str):
            for name in answer[1]:
                gone.setdefault(name, []).append(row)
    columns = [
        column.scatter(gone[field], None)
        for column in batch.frame
        if (field := split_column(column.name, column.dtype)[0]) in gone and field not in _FIXED
    ]
    return Batch.of(batch.frame.with_columns(columns)) if columns else batch


@hookimpl
def cordwood_plugins() -> list[type[Starlark]]:
    """The step that runs a script."""
    return [Starlark]
