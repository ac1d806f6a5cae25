"""A bucket of any server that speaks the S3 protocol: its settings, and objects in it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import anyio
from pydantic import AfterValidator, Field, SecretStr

from .base import PluginConfig
from .errors import ConfigError, DeliveryError, FatalError, RetryableError
from .needs import Need

if TYPE_CHECKING:
    from obstore.exceptions import BaseError
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

T = TypeVar("T")
_CHUNK = 1 << 20
_SILENT_SECONDS = 10.0  # a query waits for it: whoever sends nothing so long does not answer, however slow a line is
_RETRY: RetryConfig = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=10),  # a query waits for it
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}


def _address(url: str) -> str:
    if not re.fullmatch(r"https?://[^/\s@]+(/[^\s@]*)?", url):
        raise ValueError("must begin with http:// or https://, name a host, and hold no password")
    return url.rstrip("/")


class BucketConfig(PluginConfig):
    """Which bucket, on which server, with which key."""

    bucket: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$")
    """The bucket; it must exist."""
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9!_.*'()/-]*$")
    """What the names of all objects begin with, such as `cordwood/production`."""
    endpoint: Annotated[str, AfterValidator(_address)] | None = None
    """Address of the server; not set: Amazon's of the region. With `http://` nothing is encrypted on the way."""
    region: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    """The bucket's region; not set: AWS_REGION, else us-east-1, which suits servers that know no regions."""
    access_key_id: str | None = None
    """Name of the key; not set: AWS_ACCESS_KEY_ID, or the role of the machine."""
    secret_access_key: SecretStr | None = None
    """The key."""
    session_token: SecretStr | None = None
    """The token of a key that is temporary."""
    path_style: bool = True
    """Whether the bucket stands in the path of addresses; false: it is part of the host's name, in `endpoint` too."""


class Bucket:
    """Objects in a bucket. obstore is imported when one is made: it is slow to load, and most nodes have none."""

    def __init__(self, config: BucketConfig) -> None:
        """:raises ConfigError: half a key is given"""
        from obstore.store import S3Store

        self.config = config
        if (config.access_key_id is None) != (config.secret_access_key is None):
            raise ConfigError("access_key_id and secret_access_key belong together", hint="give both, or neither")
        given: S3Config = {"virtual_hosted_style_request": not config.path_style}
        if config.endpoint is not None:
            given["endpoint"] = given["aws_endpoint_url_s3"] = config.endpoint  # the latter has a variable of its own
        if config.region is not None:
            given["region"] = config.region
        client: ClientConfig = {
            "allow_http": (config.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=3),
            "timeout": timedelta(seconds=60),
        }
        prefix = config.prefix.strip("/") or None
        self._store = S3Store(
            config.bucket,
            prefix=prefix,
            config=given,
            client_options=client,
            retry_config=_RETRY,
            credential_provider=_only(config),
        )

    @property
    def location(self) -> str:
        """The bucket and its server."""
        at = f" at {self.config.endpoint}" if self.config.endpoint else ""
        return f"the bucket {self.config.bucket}{at}"

    def need(self) -> Need:
        """That the bucket is there and lets us in: asked for an object that there is not."""

        async def trial(_: AsyncExitStack) -> str:
            await self.get("cordwood-check")
            return ""

        return Need("bucket", f"ask {self.location}", trial)

    async def put(self, key: str, data: bytes) -> None:
        """Upload by one request: durable on return, and never there in part.

        :raises RetryableError: the server does not answer as it should
        :raises FatalError: it refuses us, or there is no such bucket
        """
        from obstore import put_async

        await self._asked(put_async(self._store, key, data, use_multipart=False))

    async def get(self, key: str) -> bytes | None:
        """An object's bytes; None: there is none of this key.

        :raises RetryableError, FatalError: as `put`
        """
        from obstore import get_async

        try:
            with anyio.fail_after(_SILENT_SECONDS):
                found = await self._asked(get_async(self._store, key))
            chunks = found.stream(min_chunk_size=_CHUNK).__aiter__()
            data = bytearray()
            while True:
                with anyio.fail_after(_SILENT_SECONDS):
                    data += await self._asked(anext(chunks))
        except FileNotFoundError:
            return None
        except StopAsyncIteration:
            return bytes(data)
        except TimeoutError as why:
            raise RetryableError(f"{self.location} does not answer") from why

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete, up to a thousand by one request; those that are not there are as good as deleted.

        :raises RetryableError, FatalError: as `put`
        """
        from obstore import delete_async

        try:
            await self._asked(delete_async(self._store, list(keys)))
        except FileNotFoundError:
            return

    async def _asked(self, answer: Awaitable[T]) -> T:
        """The answer.

        :raises FileNotFoundError: there is no such object
        """
        from obstore.exceptions import BaseError

        try:
            return await answer
        except FileNotFoundError as why:
            if "NoSuchBucket" in str(why):
                raise FatalError(f"{self.location} does not exist: make it, or mend the setting bucket") from why
            raise
        except BaseError as why:
            raise self._error(why) from why

    def _error(self, why: BaseError) -> DeliveryError:
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        said = _said(str(why))
        if isinstance(why, PermissionDeniedError | UnauthenticatedError):
            return FatalError(
                f"{self.location} refuses us ({said}): check the key, and that it may get, put, delete and list objects"
            )
        return RetryableError(f"{self.location} does not answer as it should: {said}")


def _only(config: BucketConfig) -> Callable[[], S3Credential] | None:
    """The file's key and nothing else: the library would join it with a token from the environment."""
    if config.access_key_id is None or config.secret_access_key is None:
        return None
    key: S3Credential = {
        "access_key_id": config.access_key_id,
        "secret_access_key": config.secret_access_key.get_secret_value(),
        "token": config.session_token.get_secret_value() if config.session_token else None,
        "expires_at": None,
    }
    return lambda: key


def _said(text: str) -> str:
    """What an error says of its cause: the server's own words where there are some."""
    code, message = (re.search(rf"<{name}>([^<]*)</{name}>", text) for name in ("Code", "Message"))
    if code:
        return f"{code[1]}: {message[1]}" if message and message[1] else code[1]
    return " ".join(text.partition("\n\nDebug source")[0].rpartition(" - ")[2].split())[:300]
