"""Objects in a bucket of S3: logs that AWS's services, or other programs, put there.

    sources:
      trail: {type: s3, queue: "https://sqs.eu-central-1.amazonaws.com/123456789012/trail"}
      exports: {type: s3, bucket: exports, prefix: app/, every: 5m}

With a queue, S3 says what is new; without one, the bucket is listed. Objects are packed by gzip or zstd or not, and are
lines of text or JSON, arrays, CloudTrail's `Records`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import anyio
import polars as pl
from pydantic import Field, model_validator

from ...plugins import (
    Batch,
    Checkpoint,
    Duration,
    Json,
    Need,
    Outlet,
    RejectedError,
    RetryableError,
    Source,
    duration_ns,
    hookimpl,
    in_worker,
)
from ..aws import Aws, AwsConfig
from ..storing import store
from .content import Format, Object
from .notices import Named, read_notice

_KEY = "s3"
_LONG_POLL_S = 5
_VISIBLE_S = 60  # for which a message is ours; renewed while its objects are read. After a stop it waits so long
_BACK = timedelta(hours=1)
"""How far listing looks back behind the newest object: an upload in parts counts from its beginning."""
_KEPT = timedelta(hours=23)
"""After which the keys of what was stored may be gone (24 hours): then nothing behind the newest is looked at again."""
_MOST_KNOWN = 1_000_000
_log = logging.getLogger(__name__)


class S3Config(AwsConfig):
    """Settings of a source of a bucket."""

    bucket: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{1,62})?$")
    """The bucket that is listed."""
    prefix: str = ""
    """Of it, only the objects whose names begin so; with a queue, too."""
    queue: str = Field("", pattern=r"^(https?://\S+)?$")
    """Address of an SQS queue to which S3's notifications go, by themselves, by SNS or by EventBridge."""
    every: Duration = "1m"
    """How often the bucket is listed."""
    format: Format = "auto"
    """What the objects are: `lines` of text, `ndjson`, or `json` (an array, or an object with an array `Records`);
    `auto`: what each looks like."""
    max_object: int = Field(1 << 30, ge=1024)
    """Bytes of an object, as it lies there; larger ones are left out. Up to ten lie in the temporary folder."""

    @model_validator(mode="after")
    def _one_way(self) -> S3Config:
        if bool(self.bucket) == bool(self.queue):
            raise ValueError("give either a bucket, which is listed, or a queue with S3's notifications")
        return self


class S3(Source[S3Config]):
    """Take in the objects of a bucket, each once, as S3's notifications or the bucket's list name them."""

    type = "s3"

    def __init__(self, config: S3Config) -> None:
        super().__init__(config)
        self._aws = Aws(config)
        self._objects = self._failed = self._strange = self._rejected = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Objects taken in, those that could not be, messages that are none of S3's, events that the store refused."""
        return {
            "objects": self._objects,
            "failed_objects": self._failed,
            "strange_messages": self._strange,
            "rejected_events": self._rejected,
        }

    def needs(self) -> Sequence[Need]:
        """The queue, or the bucket."""

        async def trial(_: AsyncExitStack) -> str:
            config = self.config
            if config.queue:
                await self._called("sqs", "get_queue_attributes", QueueUrl=config.queue)
            else:
                await self._called("s3", "list_objects_v2", Bucket=config.bucket, Prefix=config.prefix, MaxKeys=1)
            return ""

        setting = "queue" if self.config.queue else "bucket"
        return [Need(setting, f"ask the {setting}", trial)]

    async def run(self, outlet: Outlet) -> None:
        """Take in until cancelled.

        :raises RetryableError: AWS does not answer, or refuses
        :raises FatalError: boto3 is not installed
        """
        await (self._hear(outlet) if self.config.queue else self._look(outlet))

    async def _hear(self, outlet: Outlet) -> None:
        while True:
            answer = await self._called(
                "sqs", "receive_message", QueueUrl=self.config.queue,
                MaxNumberOfMessages=10, WaitTimeSeconds=_LONG_POLL_S, VisibilityTimeout=_VISIBLE_S,
            )  # fmt: skip
            raised: list[Exception] = []
            async with anyio.create_task_group() as tasks:
                for message in answer.get("Messages", ()):
                    tasks.start_soon(self._message, outlet, message, raised)
            if raised:
                raise raised[0]

    async def _message(self, outlet: Outlet, message: Mapping[str, str], raised: list[Exception]) -> None:
        """Take in what one message names; what goes wrong is added to `raised`, and the message comes again."""
        queue, receipt = self.config.queue, message["ReceiptHandle"]
        try:
            found = read_notice(message["Body"])
            if found is None:
                # It stays in the queue: what becomes of it, the queue's own redrive policy says.
                self._strange += 1
                _log.warning("source %s: a message is none of S3's: %.200s", outlet.source, message["Body"])
                return
            for one in found:
                if one.key.startswith(self.config.prefix):
                    await self._take(outlet, one, receipt)
            await self._called("sqs", "delete_message", QueueUrl=queue, ReceiptHandle=receipt)
        except Exception as why:  # the first is raised when all have ended
            raised.append(why)

    async def _look(self, outlet: Outlet) -> None:
        """List the bucket; of what is there, the new ones in the order they were made.

        Known are those taken in since this source runs. After a restart the last hour is read again, and what was
        stored of it is not stored again, for it has the same keys.
        """
        every = duration_ns(self.config.every) / 1e9
        value = await outlet.checkpoint(_KEY)
        newest, strict = _newest(value)
        back = newest if strict else newest - _BACK
        known: dict[tuple[str, str], datetime] = {}
        while True:
            began = anyio.current_time()
            fresh = [one for one in await self._listed(back) if (one[1], one[2]) not in known]
            for modified, key, etag in fresh:
                if not (strict and modified < newest):
                    await self._take(outlet, Named(self.config.bucket, key))
                known[key, etag] = modified
                if modified > newest or value is None:
                    value = await self._moved(outlet, max(newest, modified), value)
                    newest, strict = _newest(value)
            back = max(back, newest - _BACK)
            known = {one: modified for one, modified in known.items() if modified >= back}
            if len(known) > _MOST_KNOWN:
                raise RetryableError(f"more than {_MOST_KNOWN} objects within an hour; use a queue")
            await anyio.sleep(max(0.0, began + every - anyio.current_time()))

    async def _moved(self, outlet: Outlet, newest: datetime, value: Json) -> Json:
        fresh: Json = {"newest": newest.isoformat(), "at": datetime.now(UTC).isoformat()}
        await store(outlet, Batch.from_lines([]), checkpoint=Checkpoint(_KEY, fresh, value))
        return fresh

    async def _listed(self, back: datetime) -> list[tuple[datetime, str, str]]:
        """(when made, name, ETag) of the objects no older than this, the oldest first."""
        found: list[tuple[datetime, str, str]] = []
        more: dict[str, str] = {}
        while True:
            answer = await self._called(
                "s3", "list_objects_v2", Bucket=self.config.bucket, Prefix=self.config.prefix, **more
            )
            found += (
                (one["LastModified"], one["Key"], one["ETag"])
                for one in answer.get("Contents", ())
                if one["LastModified"] >= back and not one["Key"].endswith("/")
            )
            if not answer.get("IsTruncated"):
                return sorted(found)
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    async def _take(self, outlet: Outlet, one: Named, receipt: str = "") -> None:
        """Store an object's events, block by block; what was stored before is not stored again."""
        seen = anyio.current_time()
        content = Object()
        try:
            answer = await self._aws.call("s3", "get_object", Bucket=one.bucket, Key=one.key)
            await self._aws.run(lambda: content.fill(answer["Body"], self.config.max_object))
            blocks = content.batches(self.config.format)
            number = 0
            while (block := await in_worker(next, blocks, None)) is not None:
                batch, size = block
                if receipt and anyio.current_time() - seen > _VISIBLE_S / 3:
                    seen = anyio.current_time()
                    await self._called(
                        "sqs", "change_message_visibility",
                        QueueUrl=self.config.queue, ReceiptHandle=receipt, VisibilityTimeout=_VISIBLE_S,
                    )  # fmt: skip
                key = _idempotency_key(outlet.source, one, answer["ETag"], number)
                self._rejected += await store(outlet, _with_origin(batch, one), key=key, received=size)
                number += 1
            self._objects += 1
        except (KeyError, RejectedError) as why:
            self._failed += 1
            _log.warning("source %s: %s in %s is left out: %s", outlet.source, one.key, one.bucket, why)
        finally:
            content.close()

    async def _called(self, service: str, method: str, **given: Any) -> Any:
        try:
            return await self._aws.call(service, method, **given)
        except KeyError as why:
            raise RetryableError(f"AWS refuses: {why.args[0]}") from why


def _newest(value: Json) -> tuple[datetime, bool]:
    """When the newest object was made that was taken in, and whether that is so long ago that keys may be gone."""
    if not isinstance(value, Mapping):
        return datetime.fromtimestamp(0, UTC) + _BACK, False
    newest, at = (datetime.fromisoformat(str(value[name])) for name in ("newest", "at"))
    return newest, datetime.now(UTC) - at > _KEPT


def _idempotency_key(source: str, one: Named, etag: str, number: int) -> str:
    """The same for the same block each time; of another source it is another, for keys hold for a whole project."""
    name = "\0".join((source, one.bucket, one.key, etag, str(number)))
    return f"s3 {blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=20).hexdigest()}"


def _with_origin(batch: Batch, one: Named) -> Batch:
    origin = {"aws.s3.bucket": pl.lit(one.bucket), "aws.s3.key": pl.lit(one.key)}
    return Batch.of(batch.frame.with_columns(**origin))


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of a bucket."""
    return [S3]
