"""Host and Origin, told apart to the letter."""

from __future__ import annotations

import pytest
from cordwood.web.auth.origin import is_own_host, is_own_origin

OWN = ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8080", "127.8.9.1:80", "[::1]",
       "[::1]:8080", "localhost.:8080", "box.lan:8080"]  # fmt: skip
FOREIGN = ["", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1evil",
           "localhost@evil.example", "evil.example#localhost", "localhost/evil", "0.0.0.0:8080", "192.168.1.7", "[::]",
           "[::ffff:10.0.0.1]", "localhost:http", "localhost:99999", "[::1", "127.1", "2130706433", "0x7f.1",
           " localhost", "localhost, evil.example", "evil.example, localhost", "foo.localhost"]  # fmt: skip


@pytest.mark.parametrize("host", OWN)
def test_own_hosts(host: str) -> None:
    assert is_own_host(host, "box.lan")


@pytest.mark.parametrize("host", FOREIGN)
def test_foreign_hosts(host: str) -> None:
    assert not is_own_host(host, "127.0.0.1")


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "proxy", "own"),
    [
        ("http://localhost:8080", "http", "localhost:8080", False, True),
        ("http://localhost", "http", "localhost:80", False, True),
        ("https://logs.example", "https", "logs.example", False, True),
        ("https://logs.example", "http", "logs.example", True, True),
        ("https://logs.example", "http", "logs.example", False, False),
        ("http://logs.example", "https", "logs.example", True, False),
        ("http://localhost:8081", "http", "localhost:8080", False, False),
        ("http://127.0.0.1:8080", "http", "localhost:8080", False, False),
        ("http://evil.example", "http", "localhost:8080", True, False),
        ("http://localhost:8080.evil.example", "http", "localhost:8080", True, False),
        ("null", "http", "localhost:8080", True, False),
        ("", "http", "localhost:8080", True, False),
        ("null", "http", "", True, False),
        ("file://", "http", "localhost:8080", True, False),
        ("http://localhost:8080/", "http", "localhost:8080", False, False),
    ],
)
def test_origins(origin: str, scheme: str, host: str, proxy: bool, own: bool) -> None:
    assert is_own_origin(origin, scheme, host, behind_proxy=proxy) is own
