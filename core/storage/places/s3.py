"""A bucket of any server that speaks the S3 protocol: Amazon S3, Ceph, Garage, SeaweedFS and others.

    store:
      place: {type: s3, bucket: logs, endpoint: "https://s3.example.com", access_key_id: "${KEY}",
              secret_access_key: "${SECRET}"}

Without keys in the file they come from where they usually are: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web
identity, the role of the container or machine. An object is one PUT, signed with the SHA-256 of its bytes: there is
nothing half-written to clean up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ....plugins import Bucket, BucketConfig, Need, Place, SharedObject, hookimpl

_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


class S3Settings(BucketConfig):
    """Settings of the place s3."""


class S3(Place[S3Settings]):
    """Objects in a bucket."""

    type = "s3"

    def __init__(self, config: S3Settings) -> None:
        """:raises ConfigError: half a key is given"""
        super().__init__(config)
        self._bucket = Bucket(config)

    @property
    def location(self) -> str:
        """The bucket and its server."""
        return self._bucket.location

    def needs(self) -> Sequence[Need]:
        """Its bucket."""
        return [self._bucket.need()]

    async def put(self, key: str, data: bytes) -> None:
        """Upload by one request."""
        await self._bucket.put(key, data)

    async def get(self, key: str) -> bytes | None:
        """Download."""
        return await self._bucket.get(key)

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete, up to a thousand by one request."""
        await self._bucket.delete(keys)

    def shared(self, key: str) -> SharedObject | None:
        """The object's address, with the file's key; none where its name has signs that others read as patterns."""
        config = self.config
        region = config.region or os.environ.get("AWS_REGION", "us-east-1")
        host = f"s3.{region}.amazonaws.com" if config.path_style else f"{config.bucket}.s3.{region}.amazonaws.com"
        endpoint = config.endpoint or f"https://{host}"
        path = [config.bucket] if config.path_style else []
        path += [part for part in (config.prefix.strip("/"), key) if part]
        if not _PLAIN.fullmatch("/".join(path)):
            return None
        secret, token = config.secret_access_key, config.session_token
        return SharedObject(
            "/".join((endpoint, *path)),
            config.access_key_id,
            secret.get_secret_value() if secret else None,
            token.get_secret_value() if token else None,
        )


@hookimpl
def cordwood_plugins() -> list[type[Place[S3Settings]]]:
    """The place of this module."""
    return [S3]
