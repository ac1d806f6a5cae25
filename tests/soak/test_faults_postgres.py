"""PostgreSQL is killed, stopped, refuses, fails over while clients send: nothing is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ..bench.server import COMMAND, Server
from .conftest import StartServer
from .postgres import END_OTHERS, PostgresServer
from .test_database_gone import is_ready
from .workload import Clients, wait_until


def reasons(server: Server) -> str:
    """What readyz says is wrong; empty: it is ready."""
    return "; ".join(json.loads(server.get("/readyz")[1])["reasons"])


def at_work(server: Server, clients: Clients, events: int = 500) -> None:
    """Wait until it is ready and clients are acknowledged again."""
    wait_until(lambda: is_ready(server), "readyz recovers", at_most=60)
    goal = len(clients.acknowledged) + events
    wait_until(lambda: len(clients.acknowledged) >= goal, "clients are acknowledged again", at_most=60)


def all_there_once(server: Server, clients: Clients, service: str) -> None:
    assert not clients.unexpected
    assert all(value.isdigit() for value in clients.retry_after), clients.retry_after
    rows = server.query(f"service:{service} | stats count() as n, distinct_exact(event_id) as ids")
    assert rows == [{"n": len(clients.acknowledged), "ids": len(clients.acknowledged)}]


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.soak)], ids=["5 kills", "20 kills"])
def test_postgres_killed_again_and_again(kills: int, make_server: StartServer, postgres: PostgresServer) -> None:
    server = make_server(environment={"CORDWOOD_DATABASE_URL": postgres.url})
    server.start()
    with Clients([server], 4, service="killed") as clients:
        at_work(server, clients)
        for _ in range(kills):
            postgres.kill()
            wait_until(lambda: not is_ready(server), "readyz notices")
            assert server.get("/healthz")[0] == 200
            postgres.start()
            at_work(server, clients)
    assert 0 not in clients.answers, "connections broke"
    all_there_once(server, clients, "killed")
    assert server.stop() == 0


def test_postgres_that_does_not_answer_for_a_while(make_server: StartServer, postgres: PostgresServer) -> None:
    server = make_server(environment={"CORDWOOD_DATABASE_URL": postgres.url})
    server.start()
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    with Clients([server], 16, service="slow", events=1000) as clients:
        at_work(server, clients, 5000)
        before = process.memory_info().rss
        postgres.signal(signal.SIGSTOP)
        try:
            seconds = wait_until(lambda: not is_ready(server), "readyz notices", at_most=10)
            assert seconds < 6
            assert "does not answer" in reasons(server)
            acknowledged = len(clients.acknowledged)
            end = time.monotonic() + 5
            while time.monotonic() < end:
                assert server.get("/healthz")[0] == 200
                assert process.memory_info().rss < before + (200 << 20)
                time.sleep(0.1)
            assert len(clients.acknowledged) <= acknowledged + 16_000  # what was answered just before
        finally:
            postgres.signal(signal.SIGCONT)
        at_work(server, clients, 5000)
    assert 0 not in clients.answers, "connections broke"
    all_there_once(server, clients, "slow")
    assert server.stop() == 0


@pytest.fixture
def app_url(postgres: PostgresServer) -> str:
    """Cordwood's own user, that can be refused."""
    postgres.sql(
        "create role app login password 'right'",
        "create database app owner app",
    )
    return f"postgresql://app:right@127.0.0.1:{postgres.port}/app"


@contextlib.contextmanager
def nothing_left(postgres: PostgresServer) -> Iterator[None]:
    """No connection is left for a plain user."""
    postgres.sql("alter role app connection limit 0", END_OTHERS)
    yield
    postgres.sql("alter role app connection limit -1")


@contextlib.contextmanager
def another_password(postgres: PostgresServer) -> Iterator[None]:
    postgres.sql("alter role app password 'other'", END_OTHERS)
    yield
    postgres.sql("alter role app password 'right'")


@contextlib.contextmanager
def read_only(postgres: PostgresServer) -> Iterator[None]:
    """Sessions that begin meanwhile stay read-only when it is over."""
    postgres.sql("alter database app set default_transaction_read_only = on", END_OTHERS)
    yield
    postgres.sql("alter database app reset default_transaction_read_only")


@contextlib.contextmanager
def renamed(postgres: PostgresServer) -> Iterator[None]:
    postgres.sql("alter database app allow_connections false", END_OTHERS, "alter database app rename to away")
    yield
    postgres.sql("alter database away rename to app", "alter database app allow_connections true")


REFUSALS = [
    pytest.param(nothing_left, "no connection left", id="too many connections"),
    pytest.param(another_password, "refuses the user or the password", id="password changed"),
    pytest.param(read_only, "read-only", id="read-only"),
    pytest.param(renamed, "does not exist", id="database gone"),
]


@pytest.mark.parametrize(("refusal", "reason"), REFUSALS)
def test_postgres_that_refuses(
    refusal: Callable[[PostgresServer], contextlib.AbstractContextManager[None]],
    reason: str,
    make_server: StartServer,
    postgres: PostgresServer,
    app_url: str,
) -> None:
    server = make_server(environment={"CORDWOOD_DATABASE_URL": app_url})
    server.start()
    with Clients([server], 4, service="refused") as clients:
        at_work(server, clients)
        with refusal(postgres):
            wait_until(lambda: reason in reasons(server), f"readyz says: {reason}")
            refused = clients.answers.get(503, 0)
            # A COMMIT that was cut off is asked about for 60 s before it is refused, and all clients may wait for one.
            wait_until(lambda: clients.answers.get(503, 0) > refused + 4, "clients are told 503", at_most=90)
            status, answer, headers = server.post([{"message": "one more", "service": "other"}])
            assert (status, headers.get("content-type")) == (503, "application/problem+json")
            assert reason in json.loads(answer)["detail"], answer
            assert server.call("POST", "/api/v1/query", b'{"query": "* | stats count()"}')[0] in (200, 503)
        at_work(server, clients)
    all_there_once(server, clients, "refused")
    assert server.count("service:other") == 0
    assert server.stop() == 0


def test_a_standby_takes_over(data_dir: Path, make_server: StartServer) -> None:
    """With synchronous replication nothing that was acknowledged is lost with the primary."""
    primary = PostgresServer(data_dir / "primary", synchronous_standby_names="*")
    servers = [primary]
    try:
        primary.options["synchronous_standby_names"] = ""
        primary.start()
        standby = primary.standby(data_dir / "standby", "standby")
        servers.append(standby)
        standby.start()
        primary.sql("alter system set synchronous_standby_names = '*'")
        del primary.options["synchronous_standby_names"]
        primary.stop()
        primary.start()
        wait_until(lambda: bool(primary.sql("select from pg_stat_replication where sync_state = 'sync'")), "it follows")
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        url = f"postgresql://cordwood@{hosts}/postgres?target_session_attrs=read-write"
        server = make_server(environment={"CORDWOOD_DATABASE_URL": url})
        server.start()
        with Clients([server], 4, service="failover") as clients:
            at_work(server, clients, 2000)
            assert (
                "it is a standby"
                in subprocess.run(
                    [COMMAND, "doctor", "--data-dir", server.data, "--port", "0"],
                    env=server.environment | {"CORDWOOD_DATABASE_URL": standby.url},
                    capture_output=True,
                    text=True,
                    check=False,
                ).stdout
            )
            primary.kill()
            wait_until(lambda: not is_ready(server), "readyz notices")
            standby.sql("alter system reset synchronous_standby_names", "select pg_promote()")
            at_work(server, clients, 2000)
        assert 0 not in clients.answers, "connections broke"
        all_there_once(server, clients, "failover")
        assert server.stop() == 0
    finally:
        for one in servers:
            if one._process is not None:
                one.stop(signal.SIGQUIT)
