"""The file is read again under load: what changed is exchanged, what does not start leaves the old one serving."""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.config import Settings
from cordwood.core.query import QueryRequest
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime.supervisor import RunningSource
from cordwood.plugins import HttpRequest, RetryableError, load_plugins

from ..conftest import free_port

pytestmark = pytest.mark.anyio


@dataclass
class Site:
    """A node, its file, and a port that another program holds."""

    node: Node
    file: Path
    taken: int
    free: int = field(default_factory=free_port)

    def text(self, service: str = "a", more: str = "", step: str = "{type: set, fields: {v: 1}}") -> str:
        logs = self.file.parent / "app.log"
        return f"""
version: 1
sources:
  web: {{type: http}}
  log: {{type: file, include: ["{logs}"], poll: 20ms}}
  {more}
pipelines:
  main: {{from: [web], service: {service}, parse: [{step}]}}
  files: {{from: [log], service: {service if service == "c" else "files"}}}
"""

    async def reload(self, text: str | bytes) -> list[str]:
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return await self.node.reload()

    async def post(self, number: int) -> None:
        """As a client that tries again until it is answered."""
        body = json.dumps({"message": f"http {number}"}).encode()
        headers = {"content-type": "application/json", "idempotency-key": f"k{number}"}
        request = HttpRequest("POST", "/api/v1/logs", {}, {}, headers, body)
        while True:
            (web,) = [one for one in self.node.http_sources if one.name == "web"]
            try:
                response = await web.plugin.receive(request, web.outlet)
            except RetryableError:
                await anyio.sleep(0.01)
                continue
            assert response.status == 200
            return

    async def stored(self) -> Counter[str]:
        """How often each message is in the store."""
        request = QueryRequest(
            text="| stats count() as n by message",
            project_id=self.node.project_id,
            now_ns=time.time_ns(),
            limit=100_000,
        )
        return Counter({row["message"]: row["n"] for row in (await self.node.engine.run(request)).objects()})

    @property
    def states(self) -> dict[str, tuple[str, RunningSource]]:
        """The sources of the file, how they fare, and which instance runs."""
        return {name: (one.state, one) for name, one in self.node.sources.items() if name in ("web", "log", "more")}


@pytest.fixture
def open_site(database_url: str, data_dir: Path) -> Callable[[], Any]:
    @asynccontextmanager
    async def make() -> AsyncIterator[Site]:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            file, registry = data_dir / "cordwood.yaml", load_plugins()
            site = Site(None, file, other.getsockname()[1])  # type: ignore[arg-type]  # made a moment later
            file.write_text(site.text())
            settings = Settings(data_dir=data_dir, database_url=database_url, config=file)
            site.node = Node(settings, load_checked(file, registry), registry)
            async with site.node.running():
                yield site

    return make


def wrong(site: Site) -> dict[str, tuple[str | bytes | None, str]]:
    """Files that must not be taken over (None: the file is away), each with words of the error."""
    syslog = f'more: {{type: syslog, tcp: "127.0.0.1:{site.taken}"}}'
    no_file = site.file.parent / "none.pem"
    tls = f'{{listen: "127.0.0.1:{site.free}", cert_file: "{no_file}", key_file: "{no_file}"}}'
    return {
        "syntax": ("sources: {web: {type: http}\n", "cordwood.yaml:"),
        "word": (site.text(step="{type: sett, fields: {v: 1}}"), "did you mean set?"),
        "bytes": (b"version: 1 # \xff\xfe\n", "cordwood.yaml"),
        "away": (None, "cordwood.yaml"),
        "port": (site.text("b", syslog), f"sources.more: does not start: cannot listen at tcp 127.0.0.1:{site.taken}"),
        "project": (
            site.text("d", f'more: {{type: syslog, tcp: "127.0.0.1:{site.free}", project: shop}}'),
            "no project shop",
        ),
        "certificate": (site.text("c", f"more: {{type: syslog, tls: {tls}}}"), "none.pem"),
    }


@pytest.mark.parametrize("kind", ["syntax", "word", "bytes", "away", "port", "project", "certificate"])
async def test_what_is_wrong_or_does_not_start_leaves_the_old_one(open_site: Callable[[], Any], kind: str) -> None:
    async with open_site() as site:
        await site.post(1)
        text, words = wrong(site)[kind]
        if text is None:
            site.file.unlink()
            errors = await site.node.reload()
        else:
            errors = await site.reload(text)
        assert words in "\n".join(errors)
        assert site.node.reload_errors == tuple(errors)
        assert {name: state for name, (state, _) in site.states.items()} == {"web": "running", "log": "running"}
        assert site.node.config.pipelines["main"].service == "a"
        await site.post(2)
        (counted,) = site.node.counted("main")
        assert counted.events == 2  # the step goes on counting
        assert await site.stored() == {"http 1": 1, "http 2": 1}
        assert await site.reload(site.text("b")) == []
        assert site.node.reload_errors == ()


async def test_only_what_changed_is_exchanged(open_site: Callable[[], Any]) -> None:
    async with open_site() as site:
        before = site.states
        assert await site.reload(site.text("b", f'more: {{type: syslog, tcp: "127.0.0.1:{site.free}"}}')) == []
        after = site.states
        assert after["log"][1] is before["log"][1]
        assert after["web"][1] is not before["web"][1]
        async with await anyio.connect_tcp("127.0.0.1", site.free):
            assert after["more"][0] == "running"
        assert await site.reload(site.text("b")) == []
        assert site.states.keys() == {"web", "log"}
        assert site.states["web"][1] is after["web"][1]


@pytest.mark.parametrize(
    ("times", "broken"), [(20, 5), pytest.param(200, 50, marks=pytest.mark.soak)], ids=["20", "200"]
)
async def test_reloads_at_random_under_load(open_site: Callable[[], Any], times: int, broken: int) -> None:
    """Nothing is lost, nothing is there twice, and the broken ones are told and change nothing."""
    chance = random.Random(times)
    kinds = ["right"] * (times - broken) + ["wrong"] * broken
    chance.shuffle(kinds)
    async with open_site() as site:
        sent, done = Counter[str](), anyio.Event()

        async def post(first: int) -> None:
            number = first
            while not done.is_set():
                await site.post(number)
                sent[f"http {number}"] += 1
                number += 4

        async def write() -> None:
            with (site.file.parent / "app.log").open("a", buffering=1) as log:
                number = 0
                while not done.is_set():
                    log.write(f"line {number}\n")
                    sent[f"line {number}"] += 1
                    number += 1
                    await anyio.sleep(0.001)

        async with anyio.create_task_group() as tasks:
            for first in range(4):
                tasks.start_soon(post, first)
            tasks.start_soon(write)
            for kind in kinds:
                await anyio.sleep(chance.uniform(0, 0.05))
                config = site.node.config
                if kind == "wrong":
                    text, words = wrong(site)[chance.choice(["syntax", "word", "bytes", "port", "certificate"])]
                    assert words in "\n".join(await site.reload(text or ""))
                    assert site.node.config is config
                else:
                    more = chance.choice(["", f'more: {{type: syslog, tcp: "127.0.0.1:{site.free}"}}'])
                    assert await site.reload(site.text(chance.choice("abc"), more)) == []
                assert {state for state, _ in site.states.values()} == {"running"}
            done.set()
        with anyio.fail_after(60):
            while (await site.stored()).total() < sent.total():
                await anyio.sleep(0.05)
        assert await site.stored() == sent
