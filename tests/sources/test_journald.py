"""systemd's journal: entries as journalctl prints them, and real journals, written by systemd-journal-remote."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.plugins import CheckpointConflictError, FatalError, RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.journald import Journald, JournaldConfig, read_entries

from ..services import find_journal
from .listening import listening, messages

pytestmark = pytest.mark.anyio
needs_journal = pytest.mark.skipif(find_journal() is None, reason="needs journalctl and systemd-journal-remote")
AT = 1_769_860_800_123_456
ENTRY = {
    "__CURSOR": "s=1;i=2;b=3;m=4;t=5;x=6", "__REALTIME_TIMESTAMP": str(AT), "__MONOTONIC_TIMESTAMP": "7",
    "_BOOT_ID": "0af7", "PRIORITY": "3", "MESSAGE": "card declined", "SYSLOG_IDENTIFIER": "shop", "_PID": "42",
    "_HOSTNAME": "web-1", "_SYSTEMD_UNIT": "shop.service",
}  # fmt: skip
EVENT = {
    "timestamp": "2026-01-31T12:00:00.123456000Z", "severity": "ERROR", "severity_text": "err", "service": "shop",
    "host": "web-1", "message": "card declined", "_BOOT_ID": "0af7", "_PID": "42", "_SYSTEMD_UNIT": "shop.service",
    "SYSLOG_IDENTIFIER": "shop",
}  # fmt: skip


def events(*entries: Any) -> list[dict[str, Any]]:
    lines = [entry if isinstance(entry, bytes) else json.dumps(entry).encode() for entry in entries]
    found = read_entries(b"\n".join(lines), AT * 1000).events()
    assert all(event.pop("observed_timestamp") for event in found)
    return found


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, {}, id="as it is"),
        pytest.param({"MESSAGE": [255, 27, 103]}, {"message": "\\xff\x1bg"}, id="binary"),
        pytest.param({"MESSAGE": "two\nlines"}, {"message": "two\nlines"}, id="two lines"),
        pytest.param({"PRIORITY": "6"}, {"severity": "INFO", "severity_text": "info"}, id="info"),
        pytest.param({"PRIORITY": "x"}, {"severity": None, "severity_text": None}, id="no priority"),
        pytest.param({"_PID": ["1", "2"]}, {"_PID": "1\n2"}, id="several values"),
        pytest.param({"DATA": [0, 65]}, {"DATA": "\0A"}, id="binary field"),
        pytest.param({"SYSLOG_IDENTIFIER": None, "_COMM": "nginx"},
                     {"service": "nginx", "SYSLOG_IDENTIFIER": None, "_COMM": "nginx"}, id="no identifier"),
    ],
)  # fmt: skip
def test_an_entry(changed: dict[str, Any], expected: dict[str, Any]) -> None:
    """Alone, and beside another."""
    wanted = {name: value for name, value in {**EVENT, **expected}.items() if value is not None}
    assert events({**ENTRY, **changed}) == [wanted]
    assert events(ENTRY, {**ENTRY, **changed}) == [EVENT, wanted]


def test_what_is_no_entry_is_kept() -> None:
    found = events(ENTRY, b'{"__CURSOR": "s=1", "MESSAGE": "cut off h')
    assert found[0] == EVENT
    assert "cut off h" in found[1]["message"]
    assert "parse_error" in found[1]


def write(folder: Path, found: Iterable[str], start: int = 0, **more: str) -> None:
    """Add entries to a journal."""
    text = "".join(
        f"__REALTIME_TIMESTAMP={AT + start + n}\n__MONOTONIC_TIMESTAMP={1000 + start + n}\n_BOOT_ID={'0af7' * 8}\n"
        + "".join(f"{name}={value}\n" for name, value in more.items())
        + f"PRIORITY=4\nSYSLOG_IDENTIFIER=app\nMESSAGE={message}\n\n"
        for n, message in enumerate(found)
    )
    command = [str(find_journal()), "--output", str(folder / "app.journal"), "-"]
    subprocess.run(command, input=text.encode(), check=True, capture_output=True, timeout=60)


def journal(folder: Path) -> Scenario:
    write(folder, map(str, range(100)))
    return Scenario({"directory": str(folder)}, anyio.lowlevel.checkpoint, 100)


if find_journal():
    test_contract = source_contract(Journald, journal)


def source(folder: Path, **given: Any) -> Journald:
    return Journald(JournaldConfig(directory=folder, **given))


@needs_journal
async def test_each_entry_once_over_restarts(data_dir: Path) -> None:
    store = MemoryStore()
    write(data_dir, map(str, range(500)))
    for part in range(1, 4):
        async with listening(source(data_dir), MemoryOutlet(store)):
            await messages(store, part * 500)
            write(data_dir, map(str, range(part * 500, part * 500 + 250)), part * 500)  # while it follows
            await messages(store, part * 500 + 250)
        write(data_dir, map(str, range(part * 500 + 250, part * 500 + 500)), part * 500 + 250)  # while it is away
    assert store.lines == [str(n) for n in range(1750)]


@needs_journal
async def test_units_matches_and_where_to_begin(data_dir: Path) -> None:
    write(data_dir, ["web 1", "web 2"], _SYSTEMD_UNIT="web.service", _TRANSPORT="stdout")
    write(data_dir, ["api 1"], 10, _SYSTEMD_UNIT="api.service", _TRANSPORT="journal")
    for given, expected in (
        ({"units": ["web.service"]}, ["web 1", "web 2"]),
        ({"units": ["w*"], "matches": ["_TRANSPORT=stdout"]}, ["web 1", "web 2"]),
        ({"matches": ["_TRANSPORT=journal"]}, ["api 1"]),
    ):
        async with listening(source(data_dir, **given)) as store:
            await messages(store, len(expected))
            assert store.lines == expected
    async with listening(source(data_dir, start="end")) as store:
        n = 0
        with anyio.fail_after(20):
            while not store.lines:
                n += 1
                write(data_dir, [f"new {n}"], 20 + n)
                await anyio.sleep(0.1)
        assert all(line.startswith("new ") for line in store.lines)


@needs_journal
async def test_another_reader_is_noticed(data_dir: Path) -> None:
    write(data_dir, ["one"])

    class Moved(MemoryOutlet):
        async def send(self, batch: Any, **given: Any) -> Any:
            self.store.positions["cursor"] = {"cursor": "another"}
            return await super().send(batch, **given)

    with pytest.raises(CheckpointConflictError), anyio.fail_after(20):
        await source(data_dir).run(Moved(MemoryStore()))


@needs_journal
async def test_a_journal_that_cannot_be_read(data_dir: Path) -> None:
    with pytest.raises(RetryableError, match=r"journalctl ended with 1: .*none"), anyio.fail_after(20):
        await source(data_dir / "none").run(MemoryOutlet(MemoryStore()))


async def test_there_is_no_journalctl() -> None:
    with pytest.raises(FatalError, match="no-journalctl cannot be run"):
        await Journald(JournaldConfig(command="no-journalctl")).run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize("given", [{"matches": ["--vacuum-size=1"]}, {"matches": ["x=y"]}, {"units": [""]}])
def test_settings_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"match|name"):
        JournaldConfig(**given)
