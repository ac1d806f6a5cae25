"""Objects in a bucket, Parquet or NDJSON, by the day of arrival: Amazon S3 or any server that speaks its protocol.

    outputs:
      lake: {type: s3, bucket: logs, prefix: cordwood, endpoint: "https://s3.example.com", every: 5m}

Without keys in the file they come from where they usually are: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web
identity, the role of the container or machine. An object is one PUT. After a crash the same events go into an object of
the same name, so nothing is there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..plugins import Bucket, BucketConfig, Lot, Need, Output, hookimpl, in_worker
from .rendering import FilesConfig, file_bytes, file_name


class S3OutputConfig(FilesConfig, BucketConfig):
    """Settings of the output s3."""


class S3(Output[S3OutputConfig]):
    """Objects in a bucket, Parquet or NDJSON, by the day of arrival."""

    type = "s3"

    def __init__(self, config: S3OutputConfig) -> None:
        """:raises ConfigError: half a key is given"""
        super().__init__(config)
        self._bucket = Bucket(config)

    def needs(self) -> Sequence[Need]:
        """Its bucket."""
        return [self._bucket.need()]

    async def write(self, lot: Lot) -> None:
        """Put one object.

        :raises RetryableError: the server does not answer as it should
        :raises FatalError: it refuses us, or there is no such bucket
        """
        data = await in_worker(file_bytes, lot.batch, self.config.format)
        await self._bucket.put(file_name(lot, self.config.format), data)


@hookimpl
def cordwood_plugins() -> list[type[Output[Any]]]:
    """The output of this module."""
    return [S3]
