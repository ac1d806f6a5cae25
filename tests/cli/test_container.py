"""`cordwood doctor` in a container: each check with what is right and what is wrong, and in a real mount namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cordwood.cli.container import Container
from cordwood.config import Config, Settings
from cordwood.plugins import Registry

GIB = 1024**3
Found = dict[str, tuple[str, str]]
ELSEWHERE = "postgresql://cordwood:hunter2@db/cordwood"
MOUNTS = (
    "22 1 0:21 / / rw,relatime - overlay overlay rw",
    "31 22 8:1 /volumes/data /var/lib/cordwood rw - ext4 /dev/sda1 rw",
    "32 22 0:40 / /tmp rw - tmpfs tmpfs rw",
    "33 22 0:41 / /with\\040space rw - xfs /dev/sdb rw",
)
GROUP = {
    "memory.max": str(4 * GIB),
    "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0",
    "cpu.max": "200000 100000",
    "cpu.stat": "usage_usec 5000000\nnr_periods 1000\nnr_throttled 10",
}


@pytest.fixture
def inside(tmp_path: Path, installed: Registry) -> Callable[..., Found]:
    """What is found in a container whose control group and environment are these: check → (level, what)."""

    def examine(settings: Settings, *, environment: dict[str, str] | None = None, **files: str) -> Found:
        (tmp_path / ".dockerenv").touch()
        own = tmp_path / "sys/fs/cgroup/pod/own"
        own.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys/fs/cgroup/cgroup.controllers").write_text("cpu memory\n")
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/mountinfo").write_text("\n".join(MOUNTS))
        (tmp_path / "proc/self/cgroup").write_text("12:devices:/x\n0::/pod/own\n")
        for name, text in (GROUP | {name.replace("_", ".", 1): text for name, text in files.items()}).items():
            (own / name).write_text(text + "\n")
        found = Container(tmp_path, environment or {}).checks(settings, Config.default(installed))
        return {one.check: (one.level.value, f"{one.found}; {one.mend}") for one in found}

    return examine


def right(**more: object) -> Settings:
    given = {"data_dir": Path("/var/lib/cordwood"), "database_url": ELSEWHERE, "secret_key": "k" * 32}
    return Settings.model_validate(given | more)


def test_all_is_well_but_for_this_machine(inside: Callable[..., Found]) -> None:
    found = inside(right())
    assert {check for check, (level, _) in found.items() if level != "ok"} <= {"user", "root file system"}
    assert {"role", "database password", "secret key", "volume", "memory", "CPU"} <= found.keys()
    assert "2 cores" in found["CPU"][1]
    assert "at most 4.0 GiB; its own limits let it take" in found["memory"][1]
    assert "hunter2" not in str(found)
    assert "kkk" not in str(found)


@pytest.mark.parametrize(
    ("settings", "files", "check", "level", "words"),
    [
        ({"database_url": None, "role": "query"}, {}, "role", "fail", "set CORDWOOD_DATABASE_URL"),
        ({"database_url": "postgresql://cordwood@db/c"}, {}, "database password", "warn", "PGPASSWORD"),
        ({"secret_key": None}, {}, "secret key", "warn", "set CORDWOOD_SECRET_KEY"),
        ({"data_dir": "/srv/cordwood"}, {}, "volume", "warn", "mount a volume on /srv/cordwood"),
        ({"data_dir": "/srv/cordwood", "database_url": None}, {}, "volume", "warn", "all events end with it"),
        ({"data_dir": "/tmp/cordwood", "database_url": None}, {}, "volume", "warn", "is a tmpfs"),
        ({"data_dir": "/tmp/cordwood"}, {}, "volume", "ok", "(tmpfs)"),
        ({"data_dir": "/with space/data"}, {}, "volume", "ok", "(xfs)"),
        ({}, {"memory_max": "max"}, "memory", "warn", "set one"),
        ({}, {"memory_max": str(GIB)}, "memory", "warn", "lower limits.query_memory"),
        ({"role": "ingest"}, {"memory_max": str(GIB)}, "memory", "ok", "at most 1.0 GiB"),
        ({}, {"memory_events": "oom 3\noom_kill 2"}, "memory, killed", "warn", "2 times"),
        ({}, {"cpu_max": "50000 100000"}, "CPU", "warn", "0.5 cores"),
        ({}, {"cpu_max": "max 100000"}, "CPU", "ok", "no limit"),
        ({}, {"cpu_stat": "nr_periods 100\nnr_throttled 40"}, "CPU", "warn", "held back in 40 % of the time"),
    ],
    ids=str,
)
def test_what_is_wrong_has_its_mend(
    inside: Callable[..., Found],
    settings: dict[str, object],
    files: dict[str, str],
    check: str,
    level: str,
    words: str,
) -> None:
    found = inside(right(**settings), **files)
    assert (found[check][0], words in found[check][1]) == (level, True), found[check]


def test_a_limit_above_the_own_group_counts(inside: Callable[..., Found], tmp_path: Path) -> None:
    inside(right())
    (tmp_path / "sys/fs/cgroup/pod/memory.max").write_text(f"{2 * GIB}\n")
    assert "at most 2.0 GiB" in inside(right(), memory_max="max")["memory"][1]


def test_control_groups_of_version_1_are_not_read(inside: Callable[..., Found], tmp_path: Path) -> None:
    inside(right())
    (tmp_path / "sys/fs/cgroup/cgroup.controllers").unlink()
    found = {one.check for one in Container(tmp_path, {}).checks(right(), None)}
    assert "control group" in found
    assert not {"memory", "CPU"} & found


def test_outside_there_is_nothing_to_check(tmp_path: Path, installed: Registry) -> None:
    outside = Container(tmp_path, {})
    assert list(outside.checks(right(), Config.default(installed))) == []
    assert replace(outside, environment={"KUBERNETES_SERVICE_HOST": "10.0.0.1"}).is_one()


def test_with_a_root_that_is_read_only(tmp_path: Path) -> None:
    """The command itself in a mount namespace of its own: on a volume that it can write, and on none."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("mounts need root and util-linux's unshare")
    volume = tmp_path / "volume"
    volume.mkdir()
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro / && shift && exec "$@"'
    if subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", volume, "true"], check=False).returncode:
        pytest.skip("no mounts may be made here")
    environment = {"PATH": os.environ["PATH"], "container": "oci"}

    def doctor(folder: Path) -> dict[str, str]:
        command = [Path(sys.executable).parent / "cordwood", "doctor", "--data-dir", folder, "--port", "0"]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", volume, *command, "--format", "json"],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return {one["check"]: f"{one['level']}: {one['found']}" for one in json.loads(done.stdout)["findings"]}

    found = doctor(volume / "data")
    assert found["root file system"] == "ok: read-only"
    assert found["data folder"].startswith("ok: ")
    assert found["volume"].startswith(f"ok: {volume}/data is a mount of its own")
    found = doctor(Path("/no-volume/data"))
    assert found["data folder"].startswith("fail: /no-volume/data cannot be written")
    assert found["volume"].startswith("warn: ")
