"""Browser, operating system and device of a user agent.

    parse: [{type: clf}, {type: user_agent}]

Source: uap-core's list of expressions, as the package `ua-parser` ships it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field

from ..plugins import Batch, Parser, PluginConfig, hookimpl, split_column

if TYPE_CHECKING:
    from ua_parser import Parser as UaParser
    from ua_parser import Result

_LONGEST = 1_000  # characters that are looked at: real ones have a few hundred
_NAMES = ("name", "version", "os.name", "os.version", "device", "device.brand", "device.model")
_BOTS = r"(?i)bot\b|crawler|spider|slurp|curl/|wget/|python-requests|go-http-client|headless"


class UserAgentConfig(PluginConfig):
    """Settings of the user agent parser."""

    field: str = Field("user_agent", min_length=1, max_length=200)
    """The field that holds it; the new fields begin with its name, such as `user_agent.name`."""


class UserAgent(Parser[UserAgentConfig]):
    """Take a browser's name and version, the operating system's, and the device from a user agent.

    Python for each distinct user agent of a batch, not for each event.
    """

    @cached_property
    def _parser(self) -> UaParser:
        from ua_parser import Parser as UaParser  # seldom used, and 50 ms of every start
        from ua_parser.loaders import load_lazy_builtins
        from ua_parser.regex import Resolver

        return UaParser(Resolver(load_lazy_builtins()))

    def parse(self, batch: Batch) -> Batch:
        """What is not known is left out; `….bot` is true for what calls itself one. Nothing is refused."""
        field = self.config.field
        names = [n for n, dtype in batch.frame.schema.items() if split_column(n, dtype) == (field, "text")]
        if not names:
            return batch
        text = batch.frame[names[0]]
        distinct = text.drop_nulls().unique(maintain_order=True)
        rows = [_row(self._parser.parse(agent[:_LONGEST])) for agent in distinct]
        parts = pl.DataFrame(rows, schema=dict.fromkeys(_NAMES, pl.String), orient="row")
        table = parts.with_columns(bot=distinct.str.head(_LONGEST).str.contains(_BOTS), agent=distinct)
        table = table.with_columns(pl.when("bot").then("bot"))
        found = text.alias("agent").to_frame().join(table, on="agent", how="left", maintain_order="left").drop("agent")
        read = Batch.of(found.rename(lambda name: f"{field}.{name}"))
        return batch.merged(
            read, where=text.is_not_null(), error=pl.repeat(None, len(text), dtype=pl.String, eager=True)
        )


def _row(result: Result) -> tuple[str | None, ...]:
    agent, system, device = result.user_agent, result.os, result.device
    return (
        agent.family if agent else None,
        _version(agent.major, agent.minor, agent.patch) if agent else None,
        system.family if system else None,
        _version(system.major, system.minor, system.patch) if system else None,
        device.family if device else None,
        device.brand if device else None,
        device.model if device else None,
    )


def _version(*parts: str | None) -> str | None:
    return ".".join(part for part in parts if part) or None


@hookimpl
def cordwood_plugins() -> list[type[UserAgent]]:
    """The user agent parser."""
    return [UserAgent]
