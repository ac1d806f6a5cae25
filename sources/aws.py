"""What sources of AWS share: the settings of a client, and its calls with their errors.

boto3, an extra (`cordwood[aws]`), and not the client of the store's bucket: that one speaks S3 alone, and here queues,
log groups and objects are reached with one set of keys, from wherever boto3 finds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from pydantic import AfterValidator, SecretStr, model_validator

from ..plugins import FatalError, ProjectConfig, RetryableError

T = TypeVar("T")
_WAIT_S = 30


def _address(url: str) -> str:
    if not re.fullmatch(r"https?://[^/\s@]+", url):
        raise ValueError(f"{url!r} must begin with http:// or https://, name a host, and no more")
    return url


class AwsConfig(ProjectConfig):
    """Settings of a source of AWS."""

    region: str | None = None
    """The region; not set: AWS_REGION, or that of boto3's profile."""
    endpoint: Annotated[str, AfterValidator(_address)] | None = None
    """Address of a server that speaks AWS's protocol; not set: Amazon's of the region."""
    access_key_id: str | None = None
    """Name of the key; not set: where boto3 finds one, such as AWS_ACCESS_KEY_ID or the role of the machine."""
    secret_access_key: SecretStr | None = None
    """The key."""
    session_token: SecretStr | None = None
    """The token of a key that is temporary."""

    @model_validator(mode="after")
    def _both_or_none(self) -> AwsConfig:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key belong together; give both, or neither")
        return self


class Aws:
    """Clients of AWS's services, with calls that leave the event loop alone."""

    def __init__(self, config: AwsConfig) -> None:
        self._config = config
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service. Slow where it is the first: call it in a worker thread.

        :raises FatalError: boto3 is not installed, or finds no region
        """
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise _absent() from None
        if service not in self._clients:
            given, secret, token = self._config, self._config.secret_access_key, self._config.session_token
            patience = Config(
                connect_timeout=10, read_timeout=_WAIT_S, retries={"mode": "standard", "max_attempts": 3},
                s3={"addressing_style": "path" if given.endpoint else "auto"},
            )  # fmt: skip
            try:
                # A session of its own: the one that boto3 keeps for all is not for several threads.
                self._clients[service] = boto3.session.Session().client(
                    service,
                    region_name=given.region,
                    endpoint_url=given.endpoint,
                    aws_access_key_id=given.access_key_id,
                    aws_secret_access_key=secret.get_secret_value() if secret else None,
                    aws_session_token=token.get_secret_value() if token else None,
                    config=patience,
                )
            except BotoCoreError as why:
                raise FatalError(f"AWS's {service} cannot be asked: {why}") from why
        return self._clients[service]

    async def call(self, service: str, method: str, **given: Any) -> Any:
        """The answer of a call; see `run`."""
        return await self.run(lambda: _parsed(partial(getattr(self.client(service), method), **given)))

    async def run(self, function: Callable[[], T]) -> T:
        """What a function says that asks AWS, in a worker thread; when cancelled it is left behind.

        :raises KeyError: there is no such object, or a parameter is wrong
        :raises RetryableError: AWS does not answer, or refuses
        :raises FatalError: boto3 is not installed, or finds no region
        """
        return await anyio.to_thread.run_sync(_asked, function, abandon_on_cancel=True)


def _asked(function: Callable[[], T]) -> T:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError
    except ImportError:
        raise _absent() from None
    try:
        return function()
    except ClientError as why:
        if why.response.get("Error", {}).get("Code", "") in ("NoSuchKey", "InvalidParameterException"):
            raise KeyError(str(why)) from why
        raise RetryableError(f"AWS refuses: {why}") from why
    except (BotoCoreError, HTTPError) as why:  # the last: botocore does not wrap a body that breaks off
        raise RetryableError(f"AWS does not answer: {why}") from why


def _parsed(call: Callable[[], Any]) -> Any:
    """What a method of a client says. Botocore takes for granted that an answer has the shape that it should have."""
    from botocore.exceptions import BotoCoreError

    try:
        return call()
    except BotoCoreError:  # some of which are ValueErrors
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as why:
        raise RetryableError(f"AWS answers what cannot be read: {type(why).__name__}: {why}") from why


def _absent() -> FatalError:
    return FatalError("sources of AWS need boto3: pip install 'cordwood[aws]'")
