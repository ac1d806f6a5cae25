"""`Settings`: what a process is told by the environment and the command line, not by the YAML."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_serializer, field_validator

from ..plugins import ConfigError
from .engine_address import EngineAddress
from .errors import ConfigErrors
from .validate import masked_url

PREFIX = "CORDWOOD_"


class Settings(BaseModel):
    """Settings of one process, frozen. Each is the environment variable `CORDWOOD_` and its name in capitals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path = Path("data")
    """Folder of the embedded PostgreSQL, the segment cache and `server.json`."""
    host: str = "127.0.0.1"
    """Address to listen on; any but a loopback address needs a user."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    public_url: str | None = None
    """Address under which people reach this server, for the links in notifications; not set: host and port."""
    database_url: str | None = Field(default=None, repr=False)
    """A PostgreSQL server (15 or newer) instead of the embedded one: `postgresql://user:password@host/database`."""
    config: Path | None = None
    """The YAML file; without one, only the HTTP sources run."""
    role: Literal["all", "ingest", "query", "worker"] = "all"
    """What this process does: everything, or only take in, answer queries, or run detectors and upkeep."""
    query_engine: str | None = Field(default=None, repr=False)
    """A ClickHouse for queries over segments in a bucket: `clickhouse://user:password@host:8123` (`docs/scale.md`)."""
    drain_seconds: float = Field(default=0, ge=0, le=300)
    """How long a stop goes on serving while `/readyz` says 503, so that load balancers send nothing more."""
    metrics: Literal["emf"] | None = None
    """`emf`: the metrics also as lines for CloudWatch on standard output, once a minute; not set: `/metrics` alone."""
    private_addresses: Literal["allow", "refuse"] = "allow"
    """`refuse`: nothing is sent to addresses that are not public, as where others write the YAML; link-local never."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level of Cordwood's own log on standard error."""
    secret_key: SecretStr | None = None
    """Encrypts the secrets of second factors in the database; not set: they are kept as they are."""
    admin_email: str | None = None
    """E-mail address of the first administrator, made at the first start."""
    admin_password: SecretStr | None = None
    """Password of the first administrator."""

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return url

    @field_validator("query_engine")
    @classmethod
    def _is_clickhouse(cls, url: str | None) -> str | None:
        if url is not None:
            EngineAddress.of(url)
        return url

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", url):
            raise ValueError("must begin with http:// or https:// and name a host")
        return url and url.rstrip("/")

    @field_serializer("database_url", "query_engine")
    def _without_password(self, url: str | None) -> str | None:
        return masked_url(url) if url else url

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **overrides: Any) -> Self:
        """Settings of the environment; overrides that are not None win. An empty variable counts as not set.

        :raises ConfigErrors: all that is wrong, by the variable's name; values of secrets are not quoted
        """
        given = os.environ if environment is None else environment
        values = {name: given[variable(name)] for name in cls.model_fields if given.get(variable(name))}
        values |= {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls.model_validate(values)
        except ValidationError as why:
            raise ConfigErrors([_error(error, overrides) for error in why.errors(include_url=False)]) from None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _error(error: Any, overrides: Mapping[str, Any]) -> ConfigError:
    name = str(error["loc"][0])
    where = f"--{name.replace('_', '-')}" if overrides.get(name) is not None else variable(name)
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    secret = name in ("database_url", "query_engine", "secret_key", "admin_password")
    return ConfigError(f"{where}: {message}" + ("" if secret else f", not {error['input']}"))
