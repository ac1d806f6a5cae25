"""A detector and a notifier that do as they are told through files, and a process that runs alerting with them.

    python scripted.py DATABASE_URL DATA_DIR FOLDER

The detector reads FOLDER/groups.json (a list of groups in trouble) and notes each run in FOLDER/runs.log (process id
and time); the notifier notes each delivery in FOLDER/told.log, or hangs while FOLDER/hang exists. FOLDER/limit.json is
its `rate_limit`, if it is there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
from cordwood.core.alerting import AlertingService
from cordwood.core.storage.store import Store
from cordwood.plugins import Detector, DetectorConfig, DetectorRun, Finding, Notification, Notifier, NotifierConfig
from prometheus_client import CollectorRegistry


class ScriptedConfig(DetectorConfig):
    query: str = "*"
    window: str = "10s"
    every: str = "200ms"


class Scripted(Detector[ScriptedConfig]):
    """Finds what `groups` says: a function of the window's end, or a list. `keeps`: what it keeps, True: a count."""

    keeps: bool | bytes = False

    def __init__(self, config: ScriptedConfig, groups: Callable[[int], list[Any]] | None = None) -> None:
        super().__init__(config)
        self.groups = groups or (lambda at_ns: [])
        self.runs: list[int] = []
        self.learned: list[bytes | None] = []

    async def detect(self, run: DetectorRun) -> list[Finding]:
        self.runs.append(run.at_ns)
        self.learned.append(run.learned)
        if self.keeps:
            run.keep(f"{len(self.runs)} runs".encode() if self.keeps is True else self.keeps)
        return [finding(run.name, group) for group in self.groups(run.at_ns)]


class TellConfig(NotifierConfig):
    pass


class Tell(Notifier[TellConfig]):
    """Hands each notification to a function, which answers or raises."""

    def __init__(self, answer: Callable[[Notification], str], **settings: Any) -> None:
        super().__init__(TellConfig(**settings))
        self.answer = answer

    async def notify(self, notification: Notification) -> str:
        return self.answer(notification)


class Events:
    """An engine that answers every query with the same rows."""

    def __init__(self, rows: list[dict[str, Any]] | None = None) -> None:
        self.rows = rows or []
        self.requests: list[Any] = []

    async def run(self, request: Any) -> Any:
        self.requests.append(request)
        return SimpleNamespace(objects=lambda: iter(self.rows))

    async def resolver(self, project_id: int) -> Callable[[str], str]:
        return lambda text: text


def finding(detector: str, group: Any) -> Finding:
    group = group if isinstance(group, dict) else {"service": group}
    return Finding(group=group, title=f"{detector}: {group}", values={"n": 62}, sample_query="severity>=error")


async def _serve(database_url: str, data_dir: Path, folder: Path) -> None:
    def note(name: str, text: str) -> None:
        with (folder / name).open("a") as log:
            log.write(text + "\n")

    def groups(_: int) -> list[Any]:
        note("runs.log", f"{os.getpid()} {time.time()}")
        return json.loads((folder / "groups.json").read_text())

    class Channel(Tell):
        async def notify(self, notification: Notification) -> str:
            while (folder / "hang").exists():
                await anyio.sleep(0.02)
            about = notification.group.get("service", ",".join(one["delivery_id"] for one in notification.samples))
            note("told.log", f"{notification.delivery_id} {notification.event} {about}")
            return "noted"

    async with Store.opened(data_dir, database_url, compact=False) as store:
        service = AlertingService(store, Events(), link=lambda id_: f"/{id_}", metrics=CollectorRegistry())  # type: ignore[arg-type]
        project_id = await store.project_id()
        assert project_id is not None
        detectors = {"errors": Scripted(ScriptedConfig(notify=["channel"]), groups)}
        limit = folder / "limit.json"
        settings = {"rate_limit": json.loads(limit.read_text())} if limit.exists() else {}
        await service.run_plugins(project_id, detectors, {"channel": Channel(lambda _: "", **settings)})


if __name__ == "__main__":
    anyio.run(_serve, sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
