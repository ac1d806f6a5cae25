"""Fixtures of all tests: a real PostgreSQL, a node in this process, and a server as users start it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import anyio
import asyncpg
import pytest
from cordwood.config import Config, Settings
from cordwood.core.storage.database import migrate, open_pool
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.plugins import Registry, load_plugins
from hypothesis import settings

from .bench.server import free_port
from .objectstore import Bucket, S3Server

if TYPE_CHECKING:
    from cordwood.core.runtime import Node

ROOT = Path(__file__).parent.parent
CORDWOOD = ROOT / ".venv" / "bin" / "cordwood"
MUCH_ROOM = 8 * 2**30  # bytes in memory

settings.register_profile("cordwood", deadline=None)  # no test is timed: a machine may be busy
settings.load_profile("cordwood")


# What takes longest comes first: at the end one of those would keep one worker busy, others waiting.
LONGEST = (
    "soak/test_everything.py",
    "web/test_ui_checks.py",
    "soak/*",
    "cli/*",
    "test_real_logs.py",
    "web/*_browser.py",
    "web/*",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order of LONGEST, then the others."""

    def place(item: pytest.Item) -> int:
        return next((n for n, pattern in enumerate(LONGEST) if item.path.match(f"tests/{pattern}")), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(scope="session", autouse=True)
def unix_sockets_of_anyio() -> None:
    """anyio 4.16: a Unix socket that gets readable in the same turn of the loop in which its reader was cancelled makes
    the loop report InvalidStateError, for which a test fails; nothing is lost by it. `aclose` was mended so (#1267).
    """
    from anyio._backends import _asyncio

    def wait(self: Any, loop: Any, which: str) -> Any:
        add, remove = (loop.add_reader, loop.remove_reader) if which == "_receive_future" else (
            loop.add_writer, loop.remove_writer)  # fmt: skip
        future = loop.create_future()
        setattr(self, which, future)

        def end(_: object) -> None:
            delattr(self, which)
            remove(self._raw_socket)

        add(self._raw_socket, lambda: future.done() or future.set_result(None))
        future.add_done_callback(end)
        return future

    mixin: Any = _asyncio._RawSocketMixin
    mixin._wait_until_readable = lambda self, loop: wait(self, loop, "_receive_future")
    mixin._wait_until_writable = lambda self, loop: wait(self, loop, "_send_future")


@pytest.fixture(scope="session")
def loghub() -> Path:
    """The Loghub samples; tests that need them are skipped, saying so, where they are not at hand."""
    folder = Path(os.environ.get("CORDWOOD_TEST_DATA", ROOT.parent / "shared" / "data")) / "loghub"
    if not folder.is_dir():
        pytest.skip(f"needs the Loghub samples in {folder}; set CORDWOOD_TEST_DATA to the folder that has loghub/")
    return folder


@pytest.fixture(scope="session")
def nab_data() -> Path:
    """Half of the Numenta Anomaly Benchmark; tests that need it are skipped, saying so, where it is not at hand."""
    folder = Path(os.environ.get("CORDWOOD_TEST_DATA", ROOT.parent / "shared" / "data")) / "nab"
    if not folder.is_dir():
        pytest.skip(f"needs the NAB series in {folder}; set CORDWOOD_TEST_DATA to the folder that has nab/")
    return folder


@contextlib.contextmanager
def data_folder(*, grows: bool = False) -> Iterator[Path]:
    """An empty folder with a short path (a Unix socket's has a limit), that any user can pass through; then it goes.

    A database is some 800 files, and ext4 gets slow at making files where many were deleted in the last half minute:
    one made and dropped takes 76 to 273 ms there, and 27 in memory. So where there is much room it is there, unless it
    `grows`.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > MUCH_ROOM
    folder = Path(tempfile.mkdtemp(prefix="cordwood-test-", dir=memory if roomy and not grows else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_dir(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An empty data folder. Those of long tests grow: they are on the disk."""
    grows = request.node.get_closest_marker("soak") is not None
    with data_folder(grows=grows) as folder:
        yield folder


async def _set_fsync(server: EmbeddedPostgres, value: Literal["on", "off"]) -> None:
    connection = await asyncpg.connect(**server.connect_args)
    await connection.execute(f"alter system set fsync = {value}")
    await connection.execute("select pg_reload_conf()")
    while await connection.fetchval("show fsync") != value:
        await anyio.sleep(0.01)
    await connection.close()


@pytest.fixture(scope="session")
async def postgres(anyio_backend: object) -> AsyncIterator[EmbeddedPostgres]:
    """One embedded server for the whole run. It leaves flushing to the system, which outlives every server we kill.

    To drop a database is a checkpoint: with each file flushed it took 1.6 s, without 0.1.
    """
    with data_folder() as folder:
        server = EmbeddedPostgres(folder)
        started, stop = anyio.Event(), anyio.Event()

        async def serve() -> None:
            async with server.running():
                started.set()
                await stop.wait()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            await started.wait()
            await _set_fsync(server, "off")
            yield server
            stop.set()


@pytest.fixture
async def flushing(anyio_backend: object, postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """The server flushes, as those of users do: for tests of what `doctor` says of it."""
    await _set_fsync(postgres, "on")
    yield
    await _set_fsync(postgres, "off")


@pytest.fixture(scope="session")
async def cluster(anyio_backend: object) -> AsyncIterator[Path]:
    """What a first start leaves under `postgres`, stopped: to copy it takes a tenth of making it anew."""
    with data_folder() as folder:
        server = EmbeddedPostgres(folder)
        async with server.running():
            pool = await open_pool(server.connect_args)
            await migrate(pool, server.connect_args)
            await pool.close()
        yield server.pgdata


@pytest.fixture(scope="session")
async def migrated(postgres: EmbeddedPostgres) -> str:
    """Name of a database at this release's schema: to copy it takes a tenth of migrating anew."""
    connect_args = postgres.connect_args | {"database": "migrated"}
    connection = await asyncpg.connect(**postgres.connect_args)
    await connection.execute("create database migrated")
    await connection.close()
    pool = await open_pool(connect_args)
    await migrate(pool, connect_args)
    await pool.close()
    return "migrated"


async def _database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(**postgres.connect_args)
    await connection.execute(f"create database {name} template {template}")
    await connection.close()
    yield f"postgresql://{postgres.connect_args['user']}@/{name}?host={postgres.socket_dir}&port=5432"
    connection = await asyncpg.connect(**postgres.connect_args)
    await connection.execute(f"drop database if exists {name} with (force)")
    await connection.close()


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres, migrated: str) -> AsyncIterator[str]:
    """A database with the schema and nothing in it."""
    async for url in _database(postgres, migrated):
        yield url


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database without a schema."""
    async for url in _database(postgres, "template1"):
        yield url


@pytest.fixture
async def other_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """Another database without a schema."""
    async for url in _database(postgres, "template1"):
        yield url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """One server of the S3 protocol for the whole run."""
    with tempfile.TemporaryDirectory(prefix="cordwood-test-s3-") as folder:
        server = S3Server(free_port(), Path(folder) / "log")
        yield server
        server.stop()


@pytest.fixture
def bucket(s3_server: S3Server) -> Iterator[Bucket]:
    """A bucket of its own."""
    made = Bucket(f"test-{uuid4().hex[:12]}", s3_server.url)
    made.client.create_bucket(Bucket=made.name)
    yield made
    made.client.close()


@pytest.fixture(scope="session")
def installed() -> Registry:
    """The plugins that are installed, found once."""
    return load_plugins()


@pytest.fixture
async def node(database_url: str, data_dir: Path, installed: Registry) -> AsyncIterator[Node]:
    """A running node in this process, with the default configuration and no port."""
    from cordwood.core.runtime import Node

    settings = Settings(data_dir=data_dir, database_url=database_url)
    made = Node(settings, Config.default(installed), installed)
    async with made.running():
        yield made


def furnish(data_dir: Path, cluster: Path) -> None:
    """Give the data folder a copy of the cluster, unless it has one of its own; who owns what stays as it is."""
    if not (data_dir / "postgres").exists():
        data_dir.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", str(cluster), str(data_dir / "postgres")], check=True)


class Server:
    """`cordwood up` as a process, spoken to over HTTP; on a copy of the cluster where one is given."""

    def __init__(
        self,
        data_dir: Path,
        config: str | None = None,
        environment: dict[str, str] | None = None,
        *,
        cluster: Path | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.cluster = cluster
        self.port = free_port()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")} | (environment or {})
        self.config: Path | None = None
        if config is not None:
            self.config = data_dir.parent / f"{data_dir.name}.yaml"
            self.config.write_text(config)
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str, wait: float = 60, stdin: int | None = None) -> None:
        command = [str(CORDWOOD), "up", *([str(self.config)] if self.config else [])]
        command += ["--data-dir", str(self.data_dir), "--port", str(self.port), *arguments]
        if self.cluster is not None and "CORDWOOD_DATABASE_URL" not in self.environment:
            furnish(self.data_dir, self.cluster)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=stdin, stdout=log, stderr=log, env=self.environment, start_new_session=True, cwd=ROOT
            )
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"cordwood up ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"not ready after {wait} s: {self.log.read_text()[-2000:]}")

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        """SIGKILL everything at once, PostgreSQL too."""
        import psutil

        assert self.process is not None
        family = []
        try:
            me = psutil.Process(self.process.pid)
            family = [me, *me.children(recursive=True)]
        except psutil.NoSuchProcess:
            pass
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> tuple[int, bytes]:
        """(status, body); an error status is an answer, a connection that dies, also within one, raises OSError."""
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as why:
            with why:
                return why.code, why.read()
        except http.client.HTTPException as why:
            raise ConnectionError(f"no whole answer: {why!r}") from why

    def post(self, lines: list[dict[str, Any]] | bytes, **headers: str) -> tuple[int, Any]:
        body = lines if isinstance(lines, bytes) else b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        status, answer = self.call("POST", "/api/v1/logs", body, {"Content-Type": "application/x-ndjson", **names})
        return status, json.loads(answer) if answer else None

    def query(self, text: str, **more: Any) -> list[dict[str, Any]]:
        """Rows as mappings by column."""
        body = json.dumps({"query": text, **more}).encode()
        status, answer = self.call("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
        if status != 200:
            raise RuntimeError(f"{text!r}: {status} {answer[:500]!r}")
        found = json.loads(answer)
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row, strict=True)) for row in found["rows"]]


@pytest.fixture
def make_server(data_dir: Path, cluster: Path) -> Iterator[Any]:
    """Makes servers on one data folder: `make_server(config="…")`; all are killed at the end."""
    made: list[Server] = []

    def make(config: str | None = None, environment: dict[str, str] | None = None) -> Server:
        made.append(Server(data_dir, config, environment, cluster=cluster))
        return made[-1]

    yield make
    for server in made:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        server.log.unlink(missing_ok=True)
        if server.config:
            server.config.unlink(missing_ok=True)


@pytest.fixture
def server(make_server: Any) -> Server:
    """A running server with the default configuration."""
    made: Server = make_server()
    made.start()
    return made
