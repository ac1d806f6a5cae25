"""Browser, operating system and device of a user agent.

    parse: [{type: clf}, {type: user_agent}]

Source: uap-core's list of expressions, as the package `ua-parser` ships it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field

from ..plugins import Batch, Parser, PluginConfig, enriched, hookimpl, text_of

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
        return enriched(batch, text_of(batch, self.config.field), self._look_up)

    def _look_up(self, agents: pl.Series) -> pl.DataFrame:
        rows = [_row(self._parser.parse(agent[:_LONGEST])) for agent in agents]
        parts = pl.DataFrame(rows, schema=dict.fromkeys(_NAMES, pl.String), orient="row")
        bot = agents.str.head(_LONGEST).str.contains(_BOTS)
        table = parts.with_columns(bot=bot.set(~bot, None))
        return table.rename(lambda name: f"{self.config.field}.{name}")


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
