"""Log groups of CloudWatch Logs, asked at intervals by `FilterLogEvents`.

    sources:
      lambda: {type: cloudwatch, groups: [/aws/lambda/checkout], region: eu-central-1}

The place in each group, a span of time and the token of its next page, is committed together with the events. To be
sent them instead, let a subscription of the group deliver to `aws_firehose`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import anyio
import msgspec
from pydantic import Field

from ..plugins import (
    Batch,
    Checkpoint,
    Duration,
    FatalError,
    Json,
    Need,
    Outlet,
    RetryableError,
    Source,
    duration_ns,
    hookimpl,
    in_worker,
    now_ns,
    read_ndjson,
)
from .aws import Aws, AwsConfig
from .storing import store

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class CloudwatchConfig(AwsConfig):
    """Settings of a source of log groups."""

    groups: tuple[str, ...] = Field(min_length=1, max_length=1000)
    """Names of the groups."""
    stream_prefix: str = ""
    """Only the streams whose names begin so."""
    pattern: str = ""
    """Only the events that this filter pattern of CloudWatch Logs finds."""
    start: Duration = "1h"
    """How far back to begin in a group that is new to this source."""
    every: Duration = "30s"
    """How often each group is asked."""
    delay: Duration = "1m"
    """How old an event must be to be asked for: what CloudWatch shows later than this is missed."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A span of time in milliseconds, its end left out, and where in it: the token of its next page."""

    start: int
    end: int
    token: str = ""

    def json(self) -> Json:
        return {"start": self.start, "end": self.end, "token": self.token}

    @classmethod
    def of(cls, value: Json) -> _Place | None:
        if not isinstance(value, Mapping):
            return None
        match value.get("start"), value.get("end"), value.get("token"):
            case (int(start), int(end), str(token)):
                return cls(start, end, token)
        return None


class Cloudwatch(Source[CloudwatchConfig]):
    """Ask log groups of CloudWatch Logs: each event once, with its time, group, stream and id."""

    def __init__(self, config: CloudwatchConfig) -> None:
        super().__init__(config)
        self._aws = Aws(config)
        self._requests = self._rejected = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How often it asked, and what the store refused."""
        return {"requests": self._requests, "rejected_events": self._rejected}

    def needs(self) -> Sequence[Need]:
        """The log groups, which AWS must let us read."""

        async def trial(_: AsyncExitStack) -> str:
            for group in self.config.groups:
                try:
                    await self._aws.call("logs", "filter_log_events", logGroupName=group, limit=1)
                except KeyError as why:
                    raise FatalError(f"AWS refuses the group {group}: {why}; mend the setting groups") from why
            return ""

        return [Need("groups", "read the log groups", trial)]

    async def run(self, outlet: Outlet) -> None:
        """Ask until cancelled.

        :raises RetryableError: AWS does not answer, or refuses
        :raises FatalError: boto3 is not installed
        """
        every = duration_ns(self.config.every) / 1e9
        while True:
            began = anyio.current_time()
            for group in self.config.groups:
                await self._group(outlet, group)
            await anyio.sleep(max(0.0, began + every - anyio.current_time()))

    async def _group(self, outlet: Outlet, group: str) -> None:
        """Take in what is new in a group, page by page."""
        key = f"cloudwatch/{group}"
        value = await outlet.checkpoint(key)
        place = _Place.of(value)
        until = (now_ns() - duration_ns(self.config.delay)) // 1_000_000
        if place is None:
            first = until - duration_ns(self.config.start) // 1_000_000
            place = _Place(first, until)
        elif not place.token:
            place = _Place(place.end, max(place.end, until))
        while place.start < place.end:
            try:
                events, token = await self._page(group, place)
            except KeyError as why:
                if not place.token:
                    raise RetryableError(f"AWS refuses: {why.args[0]}") from why
                told = "source %s: the next page of %s is not to be had any more, so the span is read anew: %s"
                _log.warning(told, outlet.source, group, why.args[0])
                place = replace(place, token="")
                continue
            place = replace(place, token=token) if token else _Place(place.end, place.end)
            batch = await in_worker(_read, events, group) if events else Batch.from_lines([])
            size = sum(len(event["message"]) for event in events)
            checkpoint = Checkpoint(key, place.json(), value)
            self._rejected += await store(outlet, batch, checkpoint=checkpoint, received=size)
            value = place.json()

    async def _page(self, group: str, place: _Place) -> tuple[Sequence[Mapping[str, Any]], str]:
        """The next events of the span, and the token of the page after them; empty: it was the last.

        :raises KeyError: the token is too old, a day, or a setting is wrong
        :raises RetryableError: AWS does not answer, or refuses
        """
        config = self.config
        given: dict[str, Any] = {"logGroupName": group, "startTime": place.start, "endTime": place.end - 1}
        given |= {"nextToken": place.token} if place.token else {}
        given |= {"filterPattern": config.pattern} if config.pattern else {}
        given |= {"logStreamNamePrefix": config.stream_prefix} if config.stream_prefix else {}
        self._requests += 1
        answer = await self._aws.call("logs", "filter_log_events", **given)
        return answer.get("events", ()), answer.get("nextToken") or ""


def _read(events: Sequence[Mapping[str, Any]], group: str) -> Batch:
    """The events of a page; lines of JSON stay messages, which a pipeline's parser reads."""
    return read_ndjson(
        b"\n".join(
            _encode(
                {
                    "timestamp": event["timestamp"],
                    "message": event["message"],
                    "logGroup": group,
                    "logStream": event.get("logStreamName"),
                    "id": event.get("eventId"),
                }
            )
            for event in events
        ),
        now_ns(),
    )


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of log groups."""
    return [Cloudwatch]
