"""`/api/v1/pipelines` with what they count, `try`, `tap`; `/api/v1/notifiers` with `test`; `cordwood tap` and `top`."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest
import yaml
from cordwood.cli.exits import InputError
from cordwood.cli.steps import edge
from cordwood.cli.top import rows
from cordwood.config import Settings, load_text
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime.taps import Tap
from cordwood.plugins import Batch, load_plugins
from cordwood.web.auth import accounts, projects, tokens

if TYPE_CHECKING:
    from .conftest import Client

from .test_alerts import opened

pytestmark = pytest.mark.anyio
CONFIG = """
version: 1
sources:
  web: {type: http}
pipelines:
  main:
    from: [web]
    service: shop
    parse:
      - {type: regex, pattern: '^(?P<verb>[A-Z]+) (?P<path>[^ ]+)$', when: 'service:shop'}
      - {type: redact, fields: [secret_field]}
detectors:
  errors: {type: threshold, query: "severity>=error | stats count() as n", condition: "n > 5", window: 5m, every: 1m,
           notify: [hook]}
notifiers:
  hook: {type: webhook, url: "http://127.0.0.1:PORT/hook?key=hunter2", secret: "${HOOK_SECRET:-very secret}"}
  gone: {type: webhook, url: "http://127.0.0.1:1/", timeout: 2s}
  worded: {type: ntfy, topic: "hush", template: "{{ values.n }} {{ event }}"}
  wrong: {type: ntfy, topic: "hush", template: "{{ nothing }}"}
"""
GET = {"message": "GET /cart", "service": "shop"}


class Hook(BaseHTTPRequestHandler):
    """Takes everything, or refuses it where the path says so."""

    bodies: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture
def hook() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Hook.bodies.clear()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def file(data_dir: Path, hook: int) -> Path:
    path = data_dir / "pipeline.yaml"
    path.write_text(CONFIG.replace("PORT", str(hook)))
    return path


@pytest.fixture
async def node(database_url: str, data_dir: Path, file: Path) -> AsyncIterator[Node]:
    registry = load_plugins()
    settings = Settings(data_dir=data_dir, database_url=database_url, config=file)
    made = Node(settings, load_checked(file, registry), registry)
    async with made.running():
        yield made


async def running(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/api/v1/pipelines")).json()
    return found


def main_of(found: dict[str, Any]) -> dict[str, Any]:
    return next(line for line in found["pipelines"] if line["name"] == "main")


async def test_steps_count_what_they_saw_and_what_failed(client: Client) -> None:
    await client.logs(GET, {"message": "no such line", "service": "shop"}, {"message": "GET /x", "service": "other"})
    found = await running(client)
    regex, redact = main_of(found)["parse"]
    assert (regex["events"], regex["failed"]) == (2, 1)
    assert (redact["events"], redact["failed"]) == (3, 0)
    assert main_of(found)["events"] == 3
    (web,) = [source for source in found["sources"] if source["name"] == "web"]
    assert (web["state"], web["events"], web["implicit"]) == ("running", 3, False)
    assert found["store"]["events"] == 3
    assert found["store"]["pending_limit"] > 0


async def test_the_yaml_that_runs_is_shown_without_secrets(client: Client) -> None:
    found = await running(client)
    shown = yaml.safe_load(found["yaml"])
    assert list(shown) == ["version", "sources", "pipelines", "detectors", "notifiers"]
    assert shown["pipelines"]["main"]["from"] == ["web"]
    assert [step["type"] for step in shown["pipelines"]["main"]["parse"]] == ["regex", "redact"]
    assert "very secret" not in json.dumps(found)
    assert "hunter2" not in json.dumps(found)


async def test_a_message_is_previewed(client: Client, node: Node) -> None:
    answer = await client.post("/api/v1/notifiers/hook/preview", json={"event": "resolved"})
    assert (answer.status_code, answer.json()["problem"]) == (200, None)
    assert answer.json()["headline"] == "[RESOLVED] errors: n = 62 (n > 50) for service checkout"
    body = json.loads(answer.json()["text"])
    assert (body["event"], body["group"]) == ("resolved", {"service": "checkout"})
    assert (await client.post("/api/v1/notifiers/worded/preview", json={})).json() == {
        "headline": "62 opened",
        "problem": None,
        "line": None,
        "template": "{{ values.n }} {{ event }}",
        "text": f"62 opened\n\nAcknowledge: {node.url}/acknowledge/…\n{node.url}/alerts/incidents",
    }
    wrong = (await client.post("/api/v1/notifiers/wrong/preview", json={})).json()
    assert "'nothing' is undefined" in wrong["problem"]
    assert wrong["headline"].startswith("[ERROR] errors")
    assert wrong["line"] == 1
    assert (await client.post("/api/v1/notifiers/hook/preview", json={"event": "report"})).status_code == 400
    assert (await client.post("/api/v1/notifiers/nobody/preview", json={})).status_code == 404


@pytest.mark.parametrize(
    ("draft", "headline", "line", "problem"),
    [
        pytest.param("{{ severity }}!\nmore", "ERROR!", None, "", id="right"),
        pytest.param("a\n{% if %}", "[ERROR] errors", 2, "Expected an expression", id="no template"),
        pytest.param("a\n\n{{ nothing }}", "[ERROR] errors", 3, "'nothing' is undefined", id="unknown name"),
        pytest.param("{{ ().__class__ }}", "[ERROR] errors", 1, "unsafe", id="beyond the sandbox"),
    ],
)
async def test_a_draft_is_previewed(client: Client, draft: str, headline: str, line: int | None, problem: str) -> None:
    found = (await client.post("/api/v1/notifiers/worded/preview", json={"template": draft})).json()
    assert found["headline"].startswith(headline)
    assert (found["line"], problem in (found["problem"] or "")) == (line, True), found


async def test_a_draft_words_a_real_incident(client: Client, node: Node) -> None:
    body = {"template": "{{ incident_id }} {{ title }}", "incident": 7}
    assert (await client.post("/api/v1/notifiers/worded/preview", json=body)).status_code == 404
    number = await opened(node, 1)
    found = (await client.post("/api/v1/notifiers/worded/preview", json=body | {"incident": number})).json()
    assert found["headline"] == f"{number} pay has too many errors"
    assert f"/alerts/incidents/{number}" in found["text"]
    assert "/acknowledge/7" not in found["text"]


async def test_a_refused_reload_is_told_with_its_places(client: Client, node: Node, file: Path) -> None:
    right = file.read_text()
    file.write_text(right.replace("type: redact", "type: redakt"))
    await node.reload()
    (error,) = (await running(client))["errors"]
    assert "pipeline.yaml:11:" in error
    assert "redact" in error
    assert (await client.get("/api/v1/status")).json()["reload_errors"] == [error]
    file.write_text(right)
    await node.reload()
    assert (await running(client))["errors"] == []
    assert (await client.get("/api/v1/status")).json()["reload_errors"] == []


async def test_a_line_is_tried_step_by_step_and_not_stored(client: Client) -> None:
    answer = await client.post("/api/v1/pipelines/main/try", json={"lines": [json.dumps(GET | {"secret_field": "x"})]})
    assert answer.status_code == 200
    steps = answer.json()["steps"]
    assert [(step["type"], step["changed"]) for step in steps] == [
        ("source", False), ("regex", True), ("redact", True), ("store", True),
    ]  # fmt: skip
    assert steps[1]["events"][0]["path"] == "/cart"
    assert steps[2]["events"][0]["secret_field"] != "x"
    assert steps[3]["events"][0]["source"] == "web"
    assert await client.rows("| stats count() as n") == [{"n": 0}]


async def test_a_line_is_tried_through_the_branches_of_a_route(client: Client, node: Node) -> None:
    route = """
version: 1
sources:
  web: {type: http}
pipelines:
  main:
    from: [web]
    parse:
      - type: route
        branches:
          - {when: "kind:a", parse: [{type: set, fields: {from_a: 1}}, {type: drop, when: "n>1"}]}
          - {when: "kind:b", parse: [{type: set, fields: {from_b: 1}}]}
        else: [{type: set, fields: {other: 1}}]
"""
    node.config = replace(node.config, pipelines=load_text(route, node.registry).pipelines)
    lines = [json.dumps({"kind": kind, "n": n}) for n, kind in enumerate("aac", 1)]
    steps = (await client.post("/api/v1/pipelines/main/try", json={"lines": lines})).json()["steps"]
    assert [step["type"] for step in steps] == ["source", "route", "store"]
    found = {branch["when"]: branch["steps"] for branch in steps[1]["branches"]}
    assert found.keys() == {"kind:a", None}, "nothing came to b"
    put, dropped = found["kind:a"]
    assert [event["from_a"] for event in put["events"]] == [1, 1]
    assert [event["n"] for event in put["before"]] == [1, 2]
    assert ([event["n"] for event in dropped["events"]], dropped["changed"]) == ([1], True)
    assert found[None][0]["events"][0]["other"] == 1
    assert all(step["before"] is None and step["branches"] == [] for step in (steps[0], steps[2]))
    assert {event["kind"] for event in steps[2]["events"]} == {"a", "c"}


async def test_what_cannot_be_tried(client: Client) -> None:
    for body, status in (
        ({"lines": []}, 400),
        ({"lines": ["x"] * 101}, 400),
        ({"lines": ["x" * 60_000, "y" * 60_000]}, 400),
        ({"lines": ["x"], "source": "nobody"}, 400),
        ({"lines": ["\ud800", "\x00\x1b[31m<script>", "[1,2", '{"a": {"b": [1, {"c": null}]}}']}, 200),
    ):
        answer = await client.post(
            "/api/v1/pipelines/main/try",
            content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        expected = {status, 400} if "\\ud800" in json.dumps(body) else {status}
        assert answer.status_code in expected, (body, answer.text)
    assert (await client.post("/api/v1/pipelines/nope/try", json={"lines": ["x"]})).status_code == 404


async def caught(
    client: Client, path: str, wanted: int, send: Callable[[], Any], **params: Any
) -> list[dict[str, Any]]:
    """The first events of a tap; `send` is called once it watches."""
    seen: list[dict[str, Any]] = []
    with anyio.fail_after(30):
        async with client.stream("GET", path, params=params) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith(": watching"):
                    await send()
                if line.startswith("data: {"):
                    seen.append(json.loads(line[6:]))
                    if len(seen) == wanted:
                        break
    return seen


async def test_a_tap_sees_events_after_a_step(live: Client, node: Node) -> None:
    async def send() -> None:
        await live.logs(GET, {"message": "PUT /other", "service": "shop"})

    path = "/api/v1/pipelines/main/tap"
    (before,) = await caught(live, path, 1, send, step=0, query="PUT")
    assert before["message"] == "PUT /other"
    assert "path" not in before
    after = await caught(live, path, 2, send, step=1)
    assert {event["path"] for event in after} == {"/cart", "/other"}
    (stored,) = await caught(live, path, 1, send, query="path:/cart")
    assert stored["source"] == "web"
    with anyio.fail_after(30):
        while node.taps.count:
            await anyio.sleep(0.05)


async def test_what_cannot_be_tapped(client: Client) -> None:
    for path, params, status in (
        ("/api/v1/pipelines/nope/tap", {}, 404),
        ("/api/v1/pipelines/main/tap", {"step": 9}, 400),
        ("/api/v1/pipelines/main/tap", {"step": -2}, 400),
        ("/api/v1/pipelines/main/tap", {"query": "| stats count()"}, 400),
        ("/api/v1/pipelines/main/tap", {"query": "("}, 400),
    ):
        answer = await client.get(path, params=params)
        assert answer.status_code == status, (path, params, answer.text)


async def test_a_tap_does_not_see_another_project_s_events(live: Client, node: Node) -> None:
    pool = node.store.pool
    await projects.add_project(pool, "other")
    await accounts.add_user(pool, "ann@example.org", "correct horse", is_admin=True)
    headers = {}
    for name in ("default", "other"):
        _, secret = await tokens.create_token(pool, name, ["ingest", "admin", "query"], project=name)
        headers[name] = {"Authorization": f"Bearer {secret}"}
    live.headers.update(headers["default"])

    async def send() -> None:
        await live.logs({"message": "GET /theirs", "service": "shop"}, **headers["other"])
        await live.logs({"message": "GET /ours", "service": "shop"})

    (first,) = await caught(live, "/api/v1/pipelines/main/tap", 1, send)
    assert first["path"] == "/ours"
    refused = await live.get("/api/v1/pipelines/main/tap", headers=headers["other"])
    assert refused.status_code == 403


def test_a_tap_holds_so_many_and_counts_the_rest() -> None:
    tap = Tap("main", 0)
    for _ in range(20):
        tap.see(Batch.from_lines([f"line {number}" for number in range(150)]))
    events, dropped = tap.take()
    assert (len(events), dropped) == (1000, 2000)
    assert tap.take() == ([], 0)


class TestNotifiers:
    async def test_a_test_arrives(self, client: Client) -> None:
        items = (await client.get("/api/v1/notifiers")).json()["items"]
        assert items == [
            {"name": "hook", "type": "webhook", "detectors": ["errors"]},
            {"name": "gone", "type": "webhook", "detectors": []},
            {"name": "worded", "type": "ntfy", "detectors": []},
            {"name": "wrong", "type": "ntfy", "detectors": []},
        ]
        answer = (await client.post("/api/v1/notifiers/hook/test")).json()
        assert answer == {"ok": True, "detail": "200 OK", "may_succeed_later": False}
        (body,) = Hook.bodies
        assert "test of the notifier hook" in body["title"]
        (entry,) = (await client.get("/api/v1/audit", params={"what": "notifier"})).json()["items"]
        assert entry["details"] == {"notifier": "hook", "ok": True}

    async def test_what_does_not_arrive_is_told_without_the_address(self, client: Client) -> None:
        answer = (await client.post("/api/v1/notifiers/gone/test")).json()
        assert (answer["ok"], answer["may_succeed_later"]) == (False, True)
        assert "127.0.0.1:1" not in answer["detail"]
        assert (await client.post("/api/v1/notifiers/nope/test")).status_code == 404


class TestTop:
    async def test_rates_are_of_the_time_between(self, client: Client) -> None:
        before = await running(client)
        await client.logs(*[GET] * 10)
        now = await running(client)
        now["at_s"] = before["at_s"] + 2
        found = {row[0]: row for row in rows(before, now)}
        assert found["source web"][1:4] == ("running", "5.0", "10")
        assert found["main.1 regex"][2:5] == ("5.0", "10", "0")
        assert found["store"][1] == "ok"
        again = {row[0]: row for row in rows(now, before)}  # as of a server that was started again
        assert again["source web"][2] == "-"

    def test_an_edge_is_named_in_several_ways(self, file: Path, tmp_path: Path) -> None:
        config = load_checked(file, load_plugins())
        for text, expected in {
            "": ("main", -1), "main": ("main", -1), "0": ("main", 0), "2": ("main", 2), "redact": ("main", 2),
            "main.1": ("main", 1), "main.regex": ("main", 1),
        }.items():  # fmt: skip
            assert edge(config, text) == expected, text
        for text in ("3", "nope", "main.", "main.9", "-1", "other.1"):
            with pytest.raises(InputError, match=r"step|steps"):
                edge(config, text)
