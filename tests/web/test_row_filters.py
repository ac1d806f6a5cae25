"""Over HTTP a role that sees a part of the events is answered as by a store that holds nothing but that part.

Two projects: `default` has events that the role sees between events that it must not, `part` has what it sees alone.
Each question goes to both, by every way to data there is, while an administrator and a second role ask the same of all
that there is, so that what is kept and shared is warm with the other's. The answers are equal; and what only hidden
events have stands in none of them.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import anyio
import pyarrow as pa
import pytest
import websockets
from cordwood.core.runtime import Node
from cordwood.core.storage.writer import Submission
from cordwood.plugins.batch import Batch
from cordwood.web import create_app
from cordwood.web.auth import accounts, projects, sessions, tokens
from cordwood.web.auth.gate import COOKIE
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ..query.reference import quote, shown
from ..query.segments import NOW
from ..query.test_differential import HOUR, pick, searches
from ..query.test_rights import MASKED, STAGES

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio

MARK: Final = "zqqx"
"""Stands in every value that the role must not see. Questions have its beginning alone."""
OPEN = {
    "name": "open",
    "permissions": ["query", "edit"],
    "search": "room:open",
    "masks": [{"field": "user", "how": "stars"}],
}
CLOSED = {"name": "closed", "permissions": ["query"], "search": "room:closed", "masks": []}
FROM, TO = NOW - 12 * HOUR, NOW + HOUR
WORDS = ["card", "declined", "user7", "7", "took", "12ms", "Ärger", "ok", "Timeout"]
HIDDEN_WORDS = [f"{MARK}word", f"{MARK} 7", "card", "declined", f"salary {MARK}9"]
PROBES = [
    ("word", "zq"), ("phrase", "zq"), ("glob", "user", "zq*"), ("glob", "service", "zq*"), ("contains", "host", "zq"),
    ("contains", "message", "zq"), ("text", "user", ">=", "zq"), ("text", "service", ">", "zq"), ("present", "zq"),
    ("regex", "zq.x", True), ("number", "status", ">", 900_000), ("text", "room", "=", "closed"),
    ("glob", "trace_id", "zq*"),
]  # fmt: skip
OWNERS = b"service,team\nweb,edge\napi,shop\n"
texts = st.one_of(searches, pick(PROBES)).map(shown)
WAYS = [
    "json", "json", "ndjson", "csv", "arrow", "events", "histogram", "patterns", "explain", "fields", "values",
    "complete", "tail", "mcp search", "mcp fields", "mcp patterns", "mistake", "share", "loki",
]  # fmt: skip
LOKI = [
    ("query_range", '{{}} |~ {0}'), ("query_range", 'sum by (service_name) (count_over_time({{}} |~ {0} [1h]))'),
    ("query_range", '{{service_name=~".+"}} | json | logfmt'), ("query", 'sum by (user) (count_over_time({{}}[12h]))'),
    ("labels", ""), ("label/service_name/values", ""), ("label/user/values", ""), ("series", '{{service_name=~".+"}}'),
    ("index/stats", "{{}}"), ("index/volume", '{{service_name=~".+"}}'), ("index/volume_range", '{{host=~".+"}}'),
    ("patterns", "{{}}"), ("detected_labels", "{{}}"), ("detected_fields", "{{}}"),
    ("detected_field/user/values", "{{}}"), ("detected_field/zq/values", "{{}}"),
]  # fmt: skip
TELL_NO_VALUE: Final = {"index/stats", "index/volume_range", "detected_field/zq/values"}
"""Of these, the ways that show no value even to an administrator."""
asks = st.lists(
    st.tuples(pick(WAYS), texts, pick(STAGES), texts, pick([*MASKED, "zq", "service", "room"]), st.booleans(),
              pick(LOKI)),
    min_size=10, max_size=10,
)  # fmt: skip
Ask = tuple[str, str, str, str, str, bool, tuple[str, str]]
EXAMPLES = settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


def made_events(seed: int, count: int) -> list[dict[str, Any]]:
    """Events in the order of their numbers; the role sees two of three."""
    chance = random.Random(seed)
    found: list[dict[str, Any]] = []
    for n in range(count):
        hidden = chance.random() < 1 / 3
        words = HIDDEN_WORDS if hidden else WORDS
        event: dict[str, Any] = {
            "timestamp": NOW - chance.randrange(40) * HOUR // 4 - (seed * 1000 + n) * 1000,
            "room": "closed" if hidden else "open",
            "n": seed * 1000 + n,
            "message": " ".join(chance.choice(words) for _ in range(chance.randrange(1, 4))),
        }
        more = {
            "severity": ["info", "warn", "error", "fatal"],
            "service": ["web", f"{MARK}-payroll"] if hidden else ["web", "api", "Web"],
            "host": ["h1", f"h{MARK}"] if hidden else ["h1", "h2"],
            "status": [200, 404, 987_654_321, f"{MARK}"] if hidden else [200, 404, "n/a", 1.5],
            "user": [f"{MARK}eve", "abc"] if hidden else [f"{MARK}ann", "abc", "7"],
            "client.ip": ["10.66.66.66"] if hidden else ["10.1.2.3", "::1"],
            "weird name": [MARK, 1] if hidden else ["v", 1],
            "trace_id": [f"{MARK}trace"] if hidden else ["t1", "t2"],
        }
        event |= {name: chance.choice(values) for name, values in more.items() if chance.randrange(4)}
        if hidden:
            event |= {f"{MARK}field": MARK, "took": f"{MARK}"}
        found.append(event)
    return found


def seen_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What the role sees of an event that it sees."""
    return {name: "***" if name == "user" else value for name, value in event.items()}


class World:
    """Two projects, and who asks."""

    def __init__(self, node: Node, client: Client, live: Client, url: str) -> None:
        self.node, self.client, self.live, self.url = node, client, live, url
        self.part_id = 0
        self.who: dict[str, dict[str, str]] = {}

    async def furnish(self) -> None:
        """Accounts, roles, a lookup table, and eight commits; of one of them the role sees nothing."""
        pool = self.node.store.pool
        self.part_id = (await projects.add_project(pool, "part")).id
        for email, role, project in (
            ("ada@example.org", "admin", "default"),
            ("olga@example.org", "open", "default"),
            ("carl@example.org", "closed", "default"),
            ("paul@example.org", "editor", "part"),
        ):
            if role == "open":
                for made in (OPEN, CLOSED):
                    answer = await self.client.post("/api/v1/roles", json=made, headers=self.who["ada"])
                    assert answer.status_code == 201, answer.text
            user = await accounts.add_user(pool, email, "correct horse", role=role, project=project)
            secret = await sessions.start_session(pool, user.id, "password", confirmed_at=datetime.now(UTC))
            self.who[email.partition("@")[0]] = {"Cookie": f"{COOKIE}={secret}"}
        _, secret = await tokens.create_token(pool, "all of part", ["admin"], project="part")
        for headers in (self.who["ada"], {"Authorization": f"Bearer {secret}"}):
            answer = await self.client.put(
                "/api/v1/lookups/owners", content=OWNERS, headers={**headers, "Content-Type": "text/csv"}
            )
            assert answer.status_code == 200, answer.text
        for seed in range(1, 7):
            await self.commit(made_events(seed, 30))
        await self.commit([event for event in made_events(7, 30) if event["room"] == "closed"])
        last = {"timestamp": NOW, "service": "sentinel", "room": "open", "message": "the last", "n": 9999}
        await self.commit([last])

    async def commit(self, events: list[dict[str, Any]]) -> None:
        """One commit of each project."""
        visible = [seen_of(event) for event in events if event["room"] == "open"]
        for project_id, own in ((self.node.project_id, events), (self.part_id, visible)):
            if own:
                batch = Batch.from_records(own, observed=NOW)
                await (await self.node.store.writer.submit(Submission(project_id, "test", batch))).committed()


Answer = tuple[bytes, Any]
"""All that came, and what of it can be compared."""
RANGE: Final = {"from": "2026-01-31T03:00:00Z", "to": "2026-01-31T11:30:00Z"}
UNLIKE: Final = {
    "id", "elapsed_ms", "bytes_scanned", "execTime", "shared_by", "expires_at", "totalBytesProcessed",
    "bytesProcessedPerSecond", "linesProcessedPerSecond",
}  # fmt: skip

CACHED = re.compile(rb'"segments_cached":[1-9]')


def alike(found: Any) -> Any:
    """What is left of an answer without times, sizes of files and whose it is."""
    if isinstance(found, dict):
        return {name: alike(value) for name, value in found.items() if name not in UNLIKE}
    return [alike(item) for item in found] if isinstance(found, list) else found


def without_stats(found: Any) -> Any:
    """An answer without what it cost."""
    if isinstance(found, dict):
        return {name: without_stats(value) for name, value in found.items() if name != "stats"}
    return type(found)(map(without_stats, found)) if isinstance(found, list | tuple) else found


def whole(answer: Any) -> bytes:
    """The headers and the body."""
    return b"".join(b": ".join(pair) for pair in answer.headers.raw) + bytes(answer.content)


class Asker:
    """Somebody's answers: the ways to data."""

    def __init__(self, world: World, who: str) -> None:
        self.world, self.headers = world, world.who[who]

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        return await self.world.client.post(path, json=body, headers=self.headers | headers)

    async def get(self, path: str, **given: str) -> Any:
        return await self.world.client.get(path, params=given, headers=self.headers)

    async def answer(self, ask: Ask) -> Answer:
        way, first, stage, second, name, ranged, loki = ask
        range_ = RANGE if ranged else {}
        text = f"{first} {stage.format(second)}"
        match way.split():
            case ["histogram"]:
                return await self.rows(f"{first} | timechart span=1h count() as n by severity", range_)
            case ["patterns"]:
                return await self.rows(f"{first} | patterns", range_)
            case ["mistake"]:
                return await self.rows(f"{first} | lookup nowhere on {name if name.isalpha() else 'user'}", range_)
            case ["json"]:
                return await self.rows(text, range_)
            case ["explain"]:
                return explained(await self.post("/api/v1/explain", {"query": text, **range_}))
            case ["complete"]:
                return as_json(await self.post("/api/v1/complete", {"query": f"{first} `{name}`:", **range_}))
            case ["fields"]:
                return as_json(await self.get("/api/v1/fields", query=first, **range_))
            case ["values"]:
                return as_json(await self.get(f"/api/v1/fields/{name}/values", query=first, limit="50", **range_))
            case ["mcp", tool]:
                return await self.mcp(tool, first if tool != "search" else text, range_)
            case ["share"]:
                return await self.share(text)
            case ["tail"]:
                return await self.tail(f"({first}) or service:sentinel")
            case ["loki"]:
                return await self.loki(*loki, first)
        return await self.exported(way, text, range_)

    async def rows(self, text: str, range_: Mapping[str, str]) -> Answer:
        answer = await self.post("/api/v1/query", {"query": text, "limit": 50_000, **range_})
        return whole(answer), in_any_order(answer.json())

    async def exported(self, way: str, text: str, range_: Mapping[str, str]) -> Answer:
        form = {"ndjson": "application/x-ndjson", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream",
                "events": "text/event-stream"}[way]  # fmt: skip
        answer = await self.post("/api/v1/query", {"query": text, "limit": 50_000, **range_}, Accept=form)
        if answer.status_code != 200:
            return as_json(answer)
        if way == "arrow":
            table = pa.ipc.open_stream(answer.content).read_all()
            return whole(answer) + repr(table.to_pylist()).encode(), sorted(map(repr, table.to_pylist()))
        if way == "events":
            told = [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: {")]
            return whole(answer), [in_any_order(one) for one in told if "rows" in one and "complete" in one][-1:]
        return whole(answer), sorted(answer.text.splitlines())

    async def mcp(self, tool: str, text: str, range_: Mapping[str, str]) -> Answer:
        params = {"name": tool, "arguments": {"query": text, **({} if tool == "fields" else {"limit": 200}), **range_}}
        answer = await self.post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        content = answer.json()["result"]["content"][0]["text"]
        found = json.loads(content) if content.startswith("{") else content
        return whole(answer), found if isinstance(found, str) or not found["complete"] else in_any_order(found)

    async def share(self, text: str) -> Answer:
        body = {"title": "t", "query": text, "valid_for": "1h", **RANGE}
        made = await self.post("/api/v1/shares", body)
        if made.status_code != 201:
            return as_json(made)
        token = {"token": made.json()["link"].partition("#")[2]}
        opened = await self.world.client.post("/api/v1/shared", json=token)
        rows = await self.world.client.post("/api/v1/shared/query", json=token)
        revoked = await self.world.client.delete(f"/api/v1/shares/{made.json()['share']['id']}", headers=self.headers)
        assert revoked.status_code == 200
        found = rows.json()
        is_cut = not found.get("complete", True)
        return whole(opened) + whole(rows), (alike(opened.json()), is_cut or in_any_order(found))

    async def tail(self, search: str) -> Answer:
        """All events of the search from the first commit on, as a tail that connects again gets them."""
        headers = self.headers | {"Last-Event-ID": "1:0"}
        seen, events = b"", []
        given = {"query": search}
        async with self.world.live.stream("GET", "/api/v1/tail", params=given, headers=headers) as answer:
            if answer.status_code != 200:
                return await answer.aread(), answer.json()
            async for line in answer.aiter_lines():
                seen += line.encode()
                if line.startswith("data: "):
                    events.append(json.loads(line[6:]))
                    if "n" not in events[-1] or events[-1]["n"] == 9999:
                        break
        return seen, events

    async def loki(self, path: str, query: str, search: str) -> Answer:
        given = {"query": query.format(quote(search[:20])), "start": str(FROM), "end": str(TO), "limit": "1000",
                 "time": str(TO), "step": "3600"}  # fmt: skip
        if path == "series":
            given["match[]"] = given.pop("query")
        answer = await self.get(f"/loki/api/v1/{path}", **given)
        return whole(answer), unordered(answer.json()) if answer.status_code == 200 else answer.text

    async def loki_tail(self, query: str) -> Answer:
        url = f"{self.world.url.replace('http', 'ws')}/loki/api/v1/tail?start={FROM}&limit=1000&query={query}"
        async with websockets.connect(url, additional_headers=self.headers) as socket:
            message = await socket.recv()
        return str(message).encode(), json.loads(message)


def as_json(answer: Any) -> Answer:
    return whole(answer), (answer.status_code, alike(answer.json()))


def unordered(found: Any) -> Any:
    """An answer as Loki gives it: it promises no order of series, nor of labels."""
    if isinstance(found, dict):
        return {name: unordered(value) for name, value in alike(found).items()}
    return sorted(map(unordered, found), key=repr) if isinstance(found, list) else found


def explained(answer: Any) -> Answer:
    """A plan without its SQL, which a role is not shown, and without sizes of files, which are not of its events."""
    seen, (status, found) = as_json(answer)
    plan = found.get("plan", {})
    return seen, (
        status,
        found.get("detail"),
        [plan.get(name) for name in ("strategy", "segments", "rows", "warnings")],
    )


def in_any_order(found: Any) -> Any:
    """Rows of equal order may come in any."""
    return alike(found) | ({"rows": sorted(map(repr, found["rows"]))} if "rows" in found else {})


@pytest.fixture
def ways() -> Iterator[Counter[str]]:
    """Counts the questions by the way they went; `pytest -s` shows it."""
    counted, began = Counter[str](), time.monotonic()
    yield counted
    told = ", ".join(f"{way} {count}" for way, count in counted.most_common())
    print(f"\n{counted.total():,} questions by HTTP in {time.monotonic() - began:,.0f} s: {told}")
    assert {way.split()[0] for way in counted} == {way.split()[0] for way in WAYS}


@pytest.fixture
async def world(
    node: Node, client_of: Callable[..., Client], listening: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async def nothing(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr(node.store.compactor, "compact", nothing)  # else one project is merged before the other
    app = create_app(node)
    async with listening(app) as url, client_of(app) as client, type(client)(base_url=url, timeout=60) as live:
        made = World(node, client, live, url)
        await made.furnish()
        yield made


async def hold(world: World, asked: list[Ask], counted: Counter[str] | None = None) -> None:
    """Each question is answered as over what the role sees alone, and no answer has the mark."""
    for number, ask in enumerate(asked):
        if counted is not None:
            counted[f"{ask[0]} {ask[6][0]}" if ask[0] == "loki" else ask[0]] += 1
        found: dict[str, Answer] = {}

        async def put(who: str, ask: Ask = ask, found: dict[str, Answer] = found) -> None:
            found[who] = await Asker(world, who).answer(ask)

        with anyio.fail_after(120):
            async with anyio.create_task_group() as tasks:
                # The second role does not see the event that ends a tail.
                for who in ("olga", "paul", *(("ada", "carl") if not number and ask[0] != "tail" else ())):
                    tasks.start_soon(put, who)
        (seen, mine), (other, theirs) = found["olga"], found["paul"]
        assert MARK.encode() not in seen.lower(), ask
        # Who of the second project asked the same as `paul` sees what he sees, so he may find an answer that is known.
        if bool(CACHED.search(seen)) is not bool(CACHED.search(other)):
            mine, theirs = without_stats(mine), without_stats(theirs)
        assert mine == theirs, ask


@EXAMPLES
@given(asked=asks)
async def test_answers_are_those_over_what_the_role_sees(world: World, asked: list[Ask]) -> None:
    """300 questions."""
    await hold(world, asked)


@pytest.mark.soak
@settings(EXAMPLES, max_examples=1000)
@given(asked=asks)
async def test_ten_thousand_answers_are_those_over_what_the_role_sees(
    world: World, asked: list[Ask], ways: Counter[str]
) -> None:
    await hold(world, asked, ways)


async def test_every_way_shows_the_mark_to_who_may_see_it(world: World) -> None:
    """Else the others would say nothing."""
    everything = "severity>=trace or not severity>=trace"
    ada = Asker(world, "ada")
    for way in sorted(set(WAYS) - {"explain", "mistake", "histogram", "loki"}):
        seen, _ = await ada.answer((way, everything, "", everything, "user", False, LOKI[0]))
        assert MARK.encode() in seen, way
    for loki in LOKI:
        seen, _ = await ada.loki(*loki, "zq")
        assert MARK.encode() in seen or loki[0] in ("index/stats", "index/volume_range", "detected_field/zq/values"), (
            loki
        )
    for who, is_shown in (("ada", True), ("carl", True), ("olga", False)):
        seen, _ = await Asker(world, who).loki_tail("{}")
        assert (MARK.encode() in seen) == is_shown, who
