"""Where notifications are not sent: addresses that only this machine, or its own network, answers at."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from cordwood.notifiers.webhook import Webhook, WebhookConfig
from cordwood.plugins import Notification, RejectedError, RetryableError

pytestmark = pytest.mark.anyio


async def send(url: str, notification: Notification) -> str:
    return await Webhook(WebhookConfig(url=url, timeout="5s")).notify(notification)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0.0.0.0", "2852039166"]
)
async def test_never_to_what_only_this_machine_reaches(notification: Notification, host: str) -> None:
    with pytest.raises(RejectedError, match="nothing is sent to"):
        await send(f"http://{host}/latest/meta-data", notification)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "[::1]", "192.168.1.1"])
async def test_private_ones_can_be_refused(
    notification: Notification, host: str, monkeypatch: pytest.MonkeyPatch, receiver: Any
) -> None:
    monkeypatch.setenv("CORDWOOD_PRIVATE_ADDRESSES", "refuse")
    with pytest.raises(RejectedError, match="not public: CORDWOOD_PRIVATE_ADDRESSES"):
        await send(f"http://{host}:{receiver.server_address[1]}/x", notification)
    assert receiver.requests == []


async def test_a_name_is_tried_at_each_of_its_addresses(notification: Notification, receiver: Any) -> None:
    port = receiver.server_address[1]
    assert await send(f"http://localhost:{port}/x", notification) == "200 OK"  # ::1 may come first: nobody is there
    assert receiver.requests[0][2]["host"] == f"localhost:{port}"


async def test_a_name_that_is_none(notification: Notification) -> None:
    with pytest.raises(RetryableError, match="name is not known"):
        await send("http://nobody.invalid/x", notification)


async def test_certificates_are_of_the_name(
    notification: Notification, receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    port = receiver.server_address[1]
    assert await send(f"https://localhost:{port}/x", notification) == "200 OK"
    with pytest.raises(RetryableError, match="no connection"):
        await send(f"https://127.0.0.1:{port}/x", notification)


async def test_what_tls_trusts_is_read_once(
    notification: Notification, receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 30 ms in which the node does nothing else; other authorities are read anew."""
    read: list[str] = []
    made = ssl.create_default_context

    def counted(*arguments: Any, **more: Any) -> ssl.SSLContext:
        read.append(more["cafile"])
        return made(*arguments, **more)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    files = [str(tmp_path / name) for name in ("one.pem", "two.pem")]
    for file in files:
        trustme.CA().cert_pem.write_to_path(file)
        monkeypatch.setenv("SSL_CERT_FILE", file)
        for _ in range(3):
            assert await send(f"{receiver.url}/x", notification) == "200 OK"
    assert read == files


async def test_a_proxy_decides_itself(
    notification: Notification, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", receiver.url)
    assert await send("http://known-to-the-proxy.invalid/x", notification) == "200 OK"
    assert receiver.requests[0][1] == "http://known-to-the-proxy.invalid/x"
