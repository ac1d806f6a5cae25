"""What is ended on one node is over on another within a second: two real servers on one database.

Nothing here depends on how busy the machine is: a request that is sent a second after the end was answered is refused.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cordwood.core.storage.embedded import EmbeddedPostgres

from ..conftest import Server

WITHIN = 1.0
"""Seconds."""
EMAIL, PASSWORD = "ann@example.org", "correct horse"


@pytest.fixture(scope="module")
def nodes(cluster: Path) -> Iterator[tuple[Server, Server]]:
    """The first has the embedded database, which the second uses too."""
    environment = {"CORDWOOD_ADMIN_EMAIL": EMAIL, "CORDWOOD_ADMIN_PASSWORD": PASSWORD}
    with tempfile.TemporaryDirectory(prefix="cordwood-test-ended-") as folder:
        Path(folder).chmod(0o755)
        first = Server(Path(folder) / "a", None, environment, cluster=cluster)
        first.start()
        own = EmbeddedPostgres(first.data_dir)
        database, user = own.connect_args["database"], own.connect_args["user"]
        url = f"postgresql://{user}@/{database}?host={own.socket_dir}&port=5432"
        second = Server(Path(folder) / "b", None, {"CORDWOOD_DATABASE_URL": url})
        second.start()
        yield first, second
        second.stop()
        first.stop()


@pytest.fixture
def admin(nodes: tuple[Server, Server]) -> Iterator[httpx.Client]:
    """An administrator, on the first node."""
    with signed_in(nodes[0], EMAIL, PASSWORD) as made:
        yield made


@contextmanager
def signed_in(server: Server, email: str, password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as made:
        done(made.post("/api/v1/session", json={"email": email, "password": password}))
        yield made


def account(admin: httpx.Client, name: str) -> tuple[str, int]:
    """(email, number) of a new editor with the password of all."""
    email = f"{name}@example.org"
    answer = admin.post("/api/v1/users", json={"email": email, "role": "editor", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return email, answer.json()["user"]["id"]


def last_let_in(client: httpx.Client, end: Callable[[], None], path: str = "/api/v1/saved-queries") -> float:
    """Seconds from the answer of `end` to the sending of the last request that was not refused."""
    assert client.get(path).status_code == 200
    asked: list[tuple[float, int]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            at = time.monotonic()
            asked.append((at, client.get(path).status_code))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        while len(asked) < 20:  # it is trusted, and looked up again and again
            time.sleep(0.01)
        end()
        ended = time.monotonic()
        while not asked or asked[-1][0] < ended + WITHIN + 0.5:
            time.sleep(0.01)
    finally:
        over.set()
        asking.join()
    assert {status for _, status in asked} <= {200, 401, 403}
    assert asked[-1][1] in (401, 403)
    return max(at for at, status in asked if status == 200) - ended


def done(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text


def token(admin: httpx.Client, name: str, scopes: list[str]) -> tuple[int, dict[str, str]]:
    """(number, header) of a new token."""
    made = admin.post("/api/v1/tokens", json={"name": name, "scopes": scopes}).json()
    return made["token"]["id"], {"Authorization": f"Bearer {made['secret']}"}


@pytest.mark.parametrize("where", [0, 1], ids=["the same node", "another node"])
def test_a_revoked_token(nodes: tuple[Server, Server], admin: httpx.Client, where: int) -> None:
    number, header = token(admin, "reader", ["query"])
    with httpx.Client(base_url=nodes[where].url, headers=header, timeout=60) as client:
        seconds = last_let_in(client, lambda: done(admin.delete(f"/api/v1/tokens/{number}")))
    assert seconds < (0.05 if where == 0 else WITHIN)


def test_sessions_after_a_change_of_the_password(nodes: tuple[Server, Server], admin: httpx.Client) -> None:
    """All others of the account end; the one that changed it goes on."""
    email, _ = account(admin, "bea")
    with signed_in(nodes[0], email, PASSWORD) as own, signed_in(nodes[1], email, PASSWORD) as other:
        body = {"current": PASSWORD, "new": "battery staple"}
        assert last_let_in(other, lambda: done(own.put("/api/v1/session/password", json=body))) < WITHIN
        assert own.get("/api/v1/saved-queries").status_code == 200
    body = {"email": email, "password": PASSWORD}
    assert httpx.post(f"{nodes[1].url}/api/v1/session", json=body, timeout=60).status_code == 401
    with signed_in(nodes[1], email, "battery staple"):
        pass


CHANGES: dict[str, Any] = {"is disabled": {"disabled": True}, "is deleted": None}


@pytest.mark.parametrize("what", CHANGES)
def test_the_sessions_of_an_account(nodes: tuple[Server, Server], admin: httpx.Client, what: str) -> None:
    email, number = account(admin, f"eve-{len(what)}")
    path, change = f"/api/v1/users/{number}", CHANGES[what]
    end = (lambda: done(admin.delete(path))) if change is None else (lambda: done(admin.patch(path, json=change)))
    with signed_in(nodes[1], email, PASSWORD) as other:
        assert last_let_in(other, end) < WITHIN


def test_what_a_lesser_role_may_no_more(nodes: tuple[Server, Server], admin: httpx.Client) -> None:
    email, number = account(admin, "kim")
    done(admin.patch(f"/api/v1/users/{number}", json={"role": "admin"}))
    lesser = {"role": "viewer"}
    with signed_in(nodes[1], email, PASSWORD) as other:
        end = lambda: done(admin.patch(f"/api/v1/users/{number}", json=lesser))  # noqa: E731
        assert last_let_in(other, end, "/api/v1/users") < WITHIN


def test_a_tail_shows_nothing_that_is_sent_later(nodes: tuple[Server, Server], admin: httpx.Client) -> None:
    number, header = token(admin, "follower", ["query"])
    seen: list[int] = []

    def follow() -> None:
        with httpx.stream(
            "GET", f"{nodes[1].url}/api/v1/tail?query=service:ended", headers=header, timeout=60
        ) as lines:
            for line in lines.iter_lines():
                if line.startswith("data: "):
                    seen.append(json.loads(line[6:])["n"])

    _, sender = token(admin, "sender", ["ingest"])
    sent: list[float] = []
    with httpx.Client(base_url=nodes[0].url, headers=sender, timeout=60) as shipper:

        def send() -> None:
            sent.append(time.monotonic())
            done(shipper.post("/api/v1/logs", json=[{"service": "ended", "n": len(sent) - 1}]))

        following = threading.Thread(target=follow)
        following.start()
        while len(seen) < 3:
            send()
        done(admin.delete(f"/api/v1/tokens/{number}"))
        ended = time.monotonic()
        while following.is_alive():
            assert time.monotonic() < ended + 60
            send()
        following.join()
    assert seen == list(range(seen[0], seen[-1] + 1))
    assert sent[seen[-1]] < ended + WITHIN
