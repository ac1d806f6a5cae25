"""A server that takes TLS alone, as Amazon RDS does: its certificate is verified, its password comes by PGPASSWORD."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme
from cordwood.core.storage.store import Store
from cordwood.plugins import ConfigError

from ..soak.postgres import PostgresServer, _plain_user

pytestmark = pytest.mark.anyio


class Secured(NamedTuple):
    """A server for `localhost`, the file of its CA and that of a stranger's."""

    port: int
    ca: Path
    stranger: Path

    def url(self, mode: str, ca: Path | None = None, host: str = "localhost") -> str:
        return f"postgresql://app@{host}:{self.port}/postgres?sslmode={mode}{f'&sslrootcert={ca}' if ca else ''}"


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    base = Path(tempfile.mkdtemp(prefix="cordwood-test-tls-"))
    base.chmod(0o755)
    ours, stranger = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(base / "ca.pem")
    stranger.cert_pem.write_to_path(base / "stranger.pem")
    server = PostgresServer(
        base / "server",
        ssl="on",
        ssl_cert_file=str(base / "server/cert.pem"),
        ssl_key_file=str(base / "server/key.pem"),
    )
    certificate = ours.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(base / "server/cert.pem")
    key = base / "server/key.pem"
    certificate.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    if user := _plain_user():
        os.chown(key, user.pw_uid, user.pw_gid)
    (base / "server/cluster/pg_hba.conf").write_text(
        "host all cordwood 127.0.0.1/32 trust\nhostssl all app 127.0.0.1/32 scram-sha-256\n"
    )
    server.start()
    server.sql("create role app login password 'a/b@c:d%e'", "alter database postgres owner to app", "select 1")
    yield Secured(server.port, base / "ca.pem", base / "stranger.pem")
    server.stop()
    shutil.rmtree(base)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "a/b@c:d%e")


async def test_verified_and_migrated(secured: Secured, data_dir: Path) -> None:
    async with Store.opened(data_dir, secured.url("verify-full", secured.ca)) as store:
        used = await store.pool.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        assert used is True
        assert await store.project_id() is not None


@pytest.mark.parametrize(
    ("mode", "ca", "host", "message"),
    [
        pytest.param("verify-full", "stranger", "localhost", "CERTIFICATE_VERIFY_FAILED", id="signed by another"),
        pytest.param("verify-full", "ca", "127.0.0.1", "IP address mismatch", id="made out to another host"),
        pytest.param("verify-full", "nowhere", "localhost", "No such file", id="no file of the CA"),
        pytest.param("disable", None, "localhost", "no pg_hba.conf entry.*no encryption", id="not encrypted"),
    ],
)
async def test_anything_less_is_refused(
    secured: Secured, data_dir: Path, mode: str, ca: str | None, host: str, message: str
) -> None:
    files = {"ca": secured.ca, "stranger": secured.stranger, "nowhere": Path("/nowhere/ca.pem"), None: None}
    with pytest.raises(ConfigError, match=message):
        async with Store.opened(data_dir, secured.url(mode, files[ca], host)):
            pass
