"""The brokers of a Kafka cluster: their addresses, TLS and passwords, as librdkafka wants them."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from .base import PluginConfig
from .needs import Need, reachable, readable


class BrokersConfig(PluginConfig):
    """Which cluster, and who we are there."""

    brokers: tuple[str, ...] = Field(min_length=1)
    """Some of the cluster's brokers, as HOST:PORT."""
    tls: bool = False
    """Whether the connections are encrypted."""
    ca_file: Path | None = None
    """PEM file of a private authority that signed the brokers' certificates."""
    cert_file: Path | None = None
    """PEM file of our certificate, where the brokers ask for one."""
    key_file: Path | None = None
    """PEM file of its key."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the password is shown, where there is a user."""
    username: str | None = None
    """The user."""
    password: SecretStr | None = None
    """Its password, best as `${KAFKA_PASSWORD}`."""

    @model_validator(mode="after")
    def _belong_together(self) -> BrokersConfig:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; give both, or neither")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together; give both, or neither")
        if (self.ca_file or self.cert_file) and not self.tls:
            raise ValueError("ca_file and cert_file are of TLS; add `tls: true`")
        return self

    def needs(self) -> list[Need]:
        """The brokers' hosts, with TLS where it is wanted, and its files."""
        files = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        hosts = [urlsplit(f"//{broker}") for broker in self.brokers]
        tls = self._context if self.tls else None
        return [
            *(readable(name, path) for name, path in files.items() if path),
            *(reachable("brokers", host.hostname or "", host.port or 9092, tls) for host in hosts),
        ]

    def _context(self) -> ssl.SSLContext:
        """Blocking."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            # Without a function for it, OpenSSL would ask the terminal for a passphrase.
            context.load_cert_chain(self.cert_file, self.key_file, password=lambda: "")
        return context

    def client_settings(self) -> dict[str, Any]:
        """The settings of a client of librdkafka that lead to these brokers."""
        given: dict[str, Any] = {
            "bootstrap.servers": ",".join(self.brokers),
            "client.id": "cordwood",
            "log_level": 2,  # what it would log, `error_cb` is told
            "socket.connection.setup.timeout.ms": 10_000,  # TLS and login; librdkafka's own are thirty seconds
            "security.protocol": f"{'SASL_' if self.username else ''}{'SSL' if self.tls else 'PLAINTEXT'}",
            "ssl.ca.location": self.ca_file and str(self.ca_file),
            "ssl.certificate.location": self.cert_file and str(self.cert_file),
            "ssl.key.location": self.key_file and str(self.key_file),
            "sasl.mechanism": self.mechanism if self.username else None,
            "sasl.username": self.username,
            "sasl.password": self.password.get_secret_value() if self.password else None,
        }
        return {name: value for name, value in given.items() if value is not None}
