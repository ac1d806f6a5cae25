"""Objects of S3 as bodies to post: whole lines, unpacked, a few MiB at a time, however large the object is."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from ....plugins import RejectedError, RetryableError

BODY_BYTES = 4 << 20
"""Bytes of lines in one request, plus the last line: memory and the time of a commit grow with it."""
LINE_BYTES = 1 << 20
"""A longer line is cut into several: a file without line ends must not be held as a whole."""
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Body(NamedTuple):
    """Lines, and what they are."""

    data: bytes
    media_type: str


def bodies(bucket: str, key: str, version: str | None) -> Iterator[Body]:
    """The object's lines in order; the same object gives the same bodies. gzip and zstd are unpacked.

    :raises RetryableError: S3 does not answer, or breaks off
    :raises RejectedError: there is no such object, it may not be read, or it is damaged
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client("s3")
    try:
        found = client.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
        with found["Body"] as raw:
            lines = _unpacked(io.BufferedReader(_Raw(raw), BODY_BYTES))
            yield from _grouped(lines)
    except ClientError as why:
        code, status = why.response["Error"]["Code"], why.response["ResponseMetadata"]["HTTPStatusCode"]
        failed = RetryableError if status >= 500 or status == 429 else RejectedError
        raise failed(f"s3://{bucket}/{key} cannot be read: {code}") from why
    except (BotoCoreError, OSError) as why:
        if isinstance(why, gzip.BadGzipFile):
            raise RejectedError(f"s3://{bucket}/{key} is no whole gzip file") from why
        raise RetryableError(f"s3://{bucket}/{key} cannot be read: {type(why).__name__}") from why
    except EOFError as why:
        raise RejectedError(f"s3://{bucket}/{key} ends in the middle of its packing") from why
    finally:
        client.close()


class _Raw(io.RawIOBase):
    """A response of boto3 as a file that `io` and gzip take."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _unpacked(raw: io.BufferedReader) -> io.BufferedIOBase:
    head = raw.peek(4)[:4]
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw)
    if head == _ZSTD:
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw))
    return raw


def _grouped(lines: io.BufferedIOBase) -> Iterator[Body]:
    """Whole lines up to the size of a body. The first character of the object says whether they are JSON."""
    held: list[bytes] = []
    size, media_type = 0, ""
    while line := lines.readline(LINE_BYTES):
        if not media_type:
            media_type = "application/x-ndjson" if line.lstrip()[:1] == b"{" else "text/plain"
        if not line.endswith(b"\n"):
            line += b"\n"
        held.append(line)
        size += len(line)
        if size >= BODY_BYTES:
            yield Body(b"".join(held), media_type)
            held, size = [], 0
    if held:
        yield Body(b"".join(held), media_type)
