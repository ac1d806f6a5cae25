"""The release before and this one on one database, as in a rolling upgrade: no error, no loss, and no way back.

The older one is built as a wheel from its sources (`releases/`) and starts first; this one migrates under it.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from cordwood.core.storage.migrations import newest_revision

from ..bench.server import Server
from .conftest import StartServer
from .postgres import PostgresServer
from .test_two_nodes import CONFIG, errors, incidents, seconds_to_incident
from .workload import Clients

RELEASES = Path(__file__).parent / "releases"
(ARCHIVE,) = RELEASES.glob("*.tar.xz")
REVISION = ARCHIVE.name.partition(".")[0]


@pytest.fixture(scope="module")
def old_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the older release as its wheel installs it; what it depends on is this environment's."""
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(ARCHIVE) as sources:
        sources.extractall(folder / "sources", filter="data")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, folder / "sources"]
    subprocess.run([*pip, *wheel], check=True, timeout=300)
    (built,) = folder.glob("cordwood-*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--target", folder / "installed", built], check=True, timeout=120
    )
    return folder / "installed"


def older(server: Server, installed: Path) -> Server:
    """The server as the older release runs it."""
    server.environment["PYTHONPATH"] = str(installed)
    code = "import cordwood, sys; print(cordwood.__file__); from cordwood.cli import main; main()"
    server.command[:1] = [sys.executable, "-P", "-c", code]
    return server


def side_by_side(old: Server, new: Server, installed: Path, seconds: float) -> None:
    old.start()
    assert str(installed) in old.log.read_text()
    with Clients([old], 2, service="both") as alone:
        new.start()  # migrates while the older one takes in
    with Clients([old, new], 3, service="together") as clients:
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            number += 1
            errors((old, new)[number % 2], f"service {number}")
            for node in (old, new):
                known = len(clients.acknowledged)  # before the question: those at least must be counted
                assert node.count("service:together") >= known
                seconds_to_incident(node, f"service {number}")
    for load in (alone, clients):
        assert not load.unexpected
        assert set(load.answers) == {200}
    for node in (old, new):
        for service, load in (("both", alone), ("together", clients)):
            rows = node.query(f"service:{service} | stats count() as n, distinct_exact(event_id) as ids")
            assert rows == [{"n": len(load.acknowledged), "ids": len(load.acknowledged)}]
    found = incidents(new)
    assert len(found) == len(set(found)) == min(number, 100)


def pair(make_server: StartServer, postgres: PostgresServer, installed: Path) -> tuple[Server, Server]:
    options = {"config": CONFIG, "environment": {"CORDWOOD_DATABASE_URL": postgres.url}}
    return older(make_server("old", **options), installed), make_server("new", **options)


def test_two_releases_on_one_database(make_server: StartServer, postgres: PostgresServer, old_release: Path) -> None:
    old, new = pair(make_server, postgres, old_release)
    side_by_side(old, new, old_release, 4)
    assert new.stop() == 0
    assert old.stop() == 0
    if newest_revision() == REVISION:
        old.start()  # the same schema: there is nothing to refuse
        return
    code, said = refused(old)
    assert code == 1
    assert f"the database is at revision {newest_revision()}, this release knows {REVISION}" in said
    assert "start that one, or restore a backup made before the upgrade" in said


def refused(old: Server) -> tuple[int, str]:
    """The exit code and the words of a start that fails."""
    done = subprocess.run(
        old.command, env=old.environment, capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )
    return done.returncode, done.stderr


@pytest.mark.soak
def test_two_releases_for_five_minutes(make_server: StartServer, postgres: PostgresServer, old_release: Path) -> None:
    old, new = pair(make_server, postgres, old_release)
    side_by_side(old, new, old_release, 300)
