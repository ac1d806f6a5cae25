"""A small registry of plugins with every sort of setting, so that these tests depend on no built-in plugin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import pytest
from cordwood.config import Duration, Size
from cordwood.plugins import (
    Batch,
    ConfigError,
    Detector,
    DetectorConfig,
    DetectorRun,
    Finding,
    HttpRequest,
    HttpResponse,
    HttpSource,
    LoadedPlugin,
    LoadFailure,
    Notification,
    Notifier,
    Outlet,
    Parser,
    Place,
    Plugin,
    PluginConfig,
    QueryError,
    Registry,
    Source,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

KINDS = ("source", "parser", "detector", "notifier", "output", "place")


class PostConfig(PluginConfig):
    path: str = "/in"
    """Where it listens."""


class Post(HttpSource[PostConfig]):
    """Takes posted lines."""

    routes = (("POST", "/in"),)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        return HttpResponse(200)


class KeyedConfig(PluginConfig):
    key: str


class Keyed(HttpSource[KeyedConfig]):
    """An HTTP source that needs a setting."""

    routes = (("POST", "/keyed"),)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        return HttpResponse(200)


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keep: int = 3


class TailerConfig(PluginConfig):
    include: list[str]
    """Files to read."""
    start: Literal["beginning", "end"] = "end"
    rotation: Rotation | None = None
    poll: Duration = timedelta(seconds=1)
    buffer: Size = 1024
    follow: bool = True


class Tailer(Source[TailerConfig]):
    """Reads files."""

    async def run(self, outlet: Outlet) -> None: ...


class PatternConfig(PluginConfig):
    pattern: str


class Pattern(Parser[PatternConfig]):
    """A regular expression."""

    def __init__(self, config: PatternConfig) -> None:
        super().__init__(config)
        if config.pattern.startswith("setting"):
            raise ConfigError("pattern: is refused")
        try:
            re.compile(config.pattern)
        except re.error as why:
            raise ConfigError(f"{config.pattern} is no regular expression: {why}") from None

    def parse(self, batch: Batch) -> Batch:
        return batch


class LimitConfig(DetectorConfig):
    query: str


class Limit(Detector[LimitConfig]):
    """Counts."""

    async def detect(self, run: DetectorRun) -> list[Finding]:
        return []


class PagerConfig(PluginConfig):
    url: str
    token: SecretStr | None = None
    retries: int = 3
    timeout: int | float = 5

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not url.startswith("http"):
            raise ValueError(f"{url!r} is no http URL")
        if "explode" in url:
            raise KeyError(url)  # a defect in a plugin
        return url


class Pager(Notifier[PagerConfig]):
    """Calls somebody."""

    async def notify(self, notification: Notification) -> str:
        return "ok"


class ShelfConfig(PluginConfig):
    board: str = Field(pattern="^[a-z]+$")
    password: SecretStr | None = None


class Shelf(Place[ShelfConfig]):
    """Keeps things."""

    location = "a shelf"

    async def put(self, key: str, data: bytes) -> None: ...

    async def get(self, key: str) -> bytes | None: ...

    async def delete(self, keys: Sequence[str]) -> None: ...


PLUGINS: tuple[type[Plugin], ...] = (Post, Keyed, Tailer, Pattern, Limit, Pager, Shelf)


@pytest.fixture
def registry() -> Registry:
    kinds: dict[str, dict[str, LoadedPlugin]] = {kind: {} for kind in KINDS}
    for cls in PLUGINS:
        kinds[cls.kind][cls.type] = LoadedPlugin(cls, "tests", "1")
    return Registry(kinds, (LoadFailure("kafka", "cordwood-kafka", "ImportError: no module named aiokafka"),))


@pytest.fixture
def check_query():
    """A query language in which only `((` is wrong."""

    def check(text: str) -> None:
        for number, line in enumerate(text.splitlines(), start=1):
            if "((" in line:
                raise QueryError("unexpected (", text=text, line=number, column=line.index("((") + 2, hint="close it")

    return check
