"""Reports: the same figures as the dashboard, what changed in words, by the clock once, sent until they arrive."""

from __future__ import annotations

import csv
import doctest
import io
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import httpx
import pytest
from cordwood.config import ReportSettings, Settings, load_text
from cordwood.core.alerting.delivery import Delivery
from cordwood.core.alerting.metrics import AlertingMetrics
from cordwood.core.alerting.records import to_ns
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.dashboards.model import Dashboard, Panel, PanelOptions, Position, Threshold
from cordwood.core.query import QueryRequest
from cordwood.core.reports.figures import Series, categories, is_number, number_text, series_of
from cordwood.core.reports.files import NoPdfError, pdf_of
from cordwood.core.reports.gather import Gathered, Rows, Shown
from cordwood.core.reports.make import begin
from cordwood.core.reports.page import TABLE_ROWS, page
from cordwood.core.reports.service import ReportService
from cordwood.core.reports.summary import summary
from cordwood.core.reports.svg import chart
from cordwood.core.runtime import Node
from cordwood.core.storage.leader import Session
from cordwood.plugins import load_plugins
from cordwood.web import create_app
from prometheus_client import CollectorRegistry

from ..notifiers.test_email import Peer
from ..web.conftest import Client

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "name", ["config.schedules", *(f"core.reports.{one}" for one in ("figures", "files", "summary", "svg"))]
)
def test_the_examples_hold(name: str) -> None:
    assert doctest.testmod(import_module(f"cordwood.{name}")).failed == 0


def test_a_bar_is_drawn_for_what_there_is() -> None:
    times = tuple(NOON + timedelta(minutes=n) for n in range(3))
    drawn = chart(Series(times, {"info": [2, 0, None], "error": [1, 3, None]}), 300, 100, "bars", ZoneInfo("UTC"), "x")
    assert drawn.count("<rect") == 3
    stacked = chart(Series(times, {"info": [2, 0, 0], "error": [1, 3, 0]}), 300, 100, "areas", ZoneInfo("UTC"), "x")
    assert [len(points.split()) for points in re.findall('points="([^"]*)"', stacked)] == [5, 5]


def shown(kind: str, now: Rows, before: Rows, **more: Any) -> Shown:
    return Shown(Panel("p", more.pop("title", "P"), kind, Position(0, 0, 6, 4), **more), "", now, before)  # type: ignore[arg-type]


def gathered(*panels: Shown, patterns: tuple[Rows, Rows] = (Rows(), Rows())) -> Gathered:
    return Gathered(Dashboard("d", "D"), NOON - timedelta(hours=1), NOON, panels, patterns)


def test_what_changed_is_told_in_words() -> None:
    by_service = ("service", "count")
    patterns = ("pattern", "count")
    told = summary(
        gathered(
            shown("number", Rows(("n",), [[150]]), Rows(("n",), [[100]]), title="Errors", unit="lines"),
            shown(
                "top",
                Rows(by_service, [["web", 90], ["auth", 50], ["new one", 5]]),
                Rows(by_service, [["web", 30], ["auth", 49], ["old one", 9]]),
                title="Services",
            ),
            patterns=(Rows(patterns, [["a <*>", 7], ["b\n  c", 2]]), Rows(patterns, [["a <*>", 3]])),
        )
    )
    assert told == [
        "Errors: 150 lines, 50 % more than before (100).",
        "Moved most in Services: web 90 (+200 %); old one 0 (gone); new one 5 (new).",
        "1 new pattern of warnings and errors: “b” (2 times).",
    ]
    assert summary(gathered()) == ["There is nothing to compare: the panels have no numbers."]


def lists(now: list[list[Any]], before: list[list[Any]], query: str) -> Shown:
    columns = ("host", "count")
    panel = Panel("p", "Hosts", "top", Position(0, 0, 6, 4))
    return Shown(panel, query, Rows(columns, now), Rows(columns, before))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("| stats count() as count by host", "a 9 (new); b 0 (gone)"),
        ("| top 2 host", None),
        ("| stats count() as count by host | sort -count | limit 2", None),
    ],
)
def test_who_is_not_in_a_list_that_was_cut_is_neither_new_nor_gone(query: str, told: str | None) -> None:
    words = summary(gathered(lists([["a", 9], ["c", 5]], [["b", 8], ["c", 5]], query)))
    assert words == (
        [f"Moved most in Hosts: {told}."] if told else ["There is nothing to compare: the panels have no numbers."]
    )
    # The shorter of two lists has all there are.
    words = summary(gathered(lists([["a", 9], ["c", 5]], [["c", 5]], query)))
    assert words == ["Moved most in Hosts: a 9 (new)."]


def test_averages_over_time_have_no_total_that_could_move() -> None:
    def course(a: int, b: int) -> Rows:
        time = "2026-01-31T12:00:00.000000000Z"
        return Rows(("time", "service", "p95"), [[time, "web", a], [time, "pay", b]])

    panel = Panel("p", "P", "timeseries", Position(0, 0, 6, 4))
    for query, told in (
        ("| timechart p95(took) as p95 by service", False),
        ("| timechart sum(n) as p95 by service", True),
    ):
        words = summary(gathered(Shown(panel, query, course(90, 9), course(10, 9))))
        assert (words == ["Moved most in P: web 90 (+800 %)."]) is told


def test_nothing_of_an_event_becomes_html() -> None:
    rows = Rows(("service", "message", "count"), [[EVIL, EVIL, 5], ["b", EVIL, 2]])
    times = ("time", "service", "count")
    series = Rows(times, [[f"2026-01-31T1{hour}:00:00.000000000Z", EVIL, hour] for hour in range(3)])
    kinds = [shown(kind, rows, rows, title=EVIL) for kind in ("top", "pie", "bar", "table")]
    kinds += [shown(kind, series, series, title=EVIL) for kind in ("timeseries", "bar", "heatmap")]
    kinds += [Shown(Panel("t", EVIL, "markdown", Position(0, 0, 6, 4), text=f"{EVIL} [x](javascript:1) ![y](//z)"))]
    kinds += [Shown(Panel("e", EVIL, "table", Position(0, 0, 6, 4)), error=EVIL)]
    html = page(gathered(*kinds), EVIL, [EVIL], ZoneInfo("UTC"), NOON)
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") > 15


def test_a_number_is_shown_as_the_dashboard_shows_it() -> None:
    level = PanelOptions(decimals=2, thresholds=(Threshold(1, "warn"), Threshold(5, "error")))
    html = page(
        gathered(shown("number", Rows(("n",), [[7.28256]]), Rows(), unit="%", options=level)),
        "T",
        [],
        ZoneInfo("UTC"),
        NOON,
    )
    assert '<div class="number error">7.28 %</div>' in html


def test_rows_of_a_chart_become_series() -> None:
    times = ("2026-01-31T12:00:00.000000000Z", "2026-01-31T12:01:00.000000000Z")
    rows = Rows(("time", "severity", "count"), [[times[0], "ERROR", 1], [times[1], "INFO", 2]])
    found = series_of(rows)
    assert found is not None
    assert found.values == {"ERROR": [1, None], "INFO": [None, 2]}
    assert series_of(Rows(("service", "n"), [["a", 1]])) is None
    noon, one = "2026-01-31T12:00:00.000000000Z", "2026-01-31T13:00:00.000000000Z"
    by_status = series_of(Rows(("time", "status", "count"), [[noon, 200, 5], [noon, 502, 3], [one, 200, 7]]))
    assert by_status is not None
    assert by_status.values == {"200": [5, 7], "502": [3, None]}
    assert [(one.name, one.value) for one in categories(Rows(("status", "n"), [[500, 7]]))] == [("500", 7)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("settings", "to", "expected"),
    [
        ({}, "2026-01-31T12:00", "2026-01-30T12:00"),
        ({}, "2026-01-31T15:00", "2026-01-30T15:00"),
        ({"schedule": "0 8 * * MON"}, "2026-02-02T08:00", "2026-01-26T08:00"),
        ({"period": timedelta(hours=2)}, "2026-01-31T12:00", "2026-01-31T10:00"),
        ({"schedule": "0 8 * * *", "timezone": "Europe/Berlin"}, "2026-03-29T06:00", "2026-03-28T07:00"),
    ],
    ids=["due", "asked for in between", "week", "period", "clocks go forward"],
)
def test_an_issue_begins_where_the_one_before_it_was_due(settings: dict[str, Any], to: str, expected: str) -> None:
    report = ReportSettings(**({"schedule": "0 12 * * *", "dashboard": "overview"} | settings))
    assert begin(report, at(to)) == at(expected)


CONFIG = """
version: 1
notifiers:
  mail: {type: email, host: 127.0.0.1, port: PORT, tls: none, sender: c@example.com, to: [ops@example.com]}
reports:
  daily: {schedule: "0 12 * * *", dashboard: overview, period: 1h, notify: [mail]}
  lost: {schedule: "0 12 * * *", dashboard: nowhere, notify: [mail]}
"""


@pytest.fixture
async def smtp() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        yield peer


@pytest.fixture
async def reporting(database_url: str, data_dir: Path, smtp: Peer) -> AsyncIterator[Node]:
    """A node with two reports; its role leaves the work to the test."""
    registry = load_plugins()
    config = load_text(CONFIG.replace("PORT", str(smtp.settings["port"])), registry)
    node = Node(Settings(data_dir=data_dir, database_url=database_url, role="query"), config, registry)
    async with node.running():
        yield node


def service_of(node: Node, now: list[datetime]) -> ReportService:
    return ReportService(node.store.pool, node.report_maker, node.project_id, node.config, clock=lambda: now[0])


async def passed(node: Node, session: Session, now: list[datetime]) -> None:
    """What a node does at a moment: it makes what is due, and alerting delivers what is to be sent."""
    await service_of(node, now).once(session)
    mail = Delivery(
        "mail", node.config.notifiers["mail"].make(), session=session, project_id=node.project_id, link=str,
        report=lambda name: f"http://x/reports?name={name}", clock=lambda: to_ns(now[0]),
        metrics=AlertingMetrics(CollectorRegistry()),
    )  # fmt: skip
    await mail.once()


async def test_it_is_made_once_whatever_was_missed_and_sent_until_it_arrives(reporting: Node, smtp: Peer) -> None:
    now = [NOON - timedelta(minutes=1)]
    issues = reporting.report_issues

    async def kept(name: str = "daily") -> list[Any]:
        return (await issues.list(reporting.project_id, name, cursor=None, limit=50)).items

    async with reporting.store.pool.acquire() as connection:
        session = Session(connection)
        await passed(reporting, session, now)
        assert await kept() == []
        smtp.behaviour = "retryable"
        now[0] = NOON + timedelta(days=3, hours=1)  # nobody ran for three days
        await passed(reporting, session, now)
        (issue,) = await kept()
        assert (issue.due_at, issue.from_) == (NOON + timedelta(days=3), NOON + timedelta(days=3, hours=-1))
        assert [(sent.status, len(sent.attempts)) for sent in issue.sent] == [("pending", 1)]
        (lost,) = await kept("lost")
        assert "no dashboard nowhere" in lost.error
        assert lost.sent == []
        smtp.behaviour = "success"
        now[0] += timedelta(minutes=1)
        await passed(reporting, session, now)  # another node, after a crash
        await passed(reporting, session, now)
        (issue,) = await kept()
        assert [(sent.status, len(sent.attempts)) for sent in issue.sent] == [("sent", 2)]
        (told,) = (await AlertingRepository(reporting.store.pool).list_notifications(reporting.project_id)).items
        assert (told.event, told.report, told.incident_title, told.incident_id) == ("report", "daily", "Overview", None)
        assert [attempt.ok for attempt in told.attempts] == [False, True]
        found = await reporting.engine.run(QueryRequest(text="from notifications", project_id=1, now_ns=to_ns(now[0])))
        assert [(row["title"], row["detector"], row["status"]) for row in found.objects()] == [
            ("Overview", "daily", "sent")
        ]
        now[0] += timedelta(days=1)
        await passed(reporting, session, now)
        assert [one.due_at for one in await kept()] == [NOON + timedelta(days=4), NOON + timedelta(days=3)]
    first, second = smtp.server.mails
    assert first["Subject"] == "Report: Overview"
    assert first["Message-ID"] != second["Message-ID"]
    assert "http://x/reports?name=daily" in first.get_body().get_content()  # type: ignore[union-attr]
    files = {part.get_filename(): part.get_content() for part in first.iter_attachments()}
    assert set(files) == {"daily.pdf", "daily.zip"}
    assert files["daily.pdf"].startswith(b"%PDF-")


async def test_over_the_api_with_the_figures_of_the_dashboard(reporting: Node) -> None:
    transport = httpx.ASGITransport(app=create_app(reporting))  # type: ignore[arg-type]
    async with Client(transport=transport, base_url="http://localhost", timeout=60) as client:
        await over_the_api(reporting, client)


async def over_the_api(node: Node, client: Client) -> None:
    from cordwood.core.storage.commit import Submission
    from cordwood.plugins import Batch

    moment = datetime.now(UTC) - timedelta(minutes=5)
    events = [
        {
            "timestamp": moment.isoformat(),
            "severity": "ERROR" if n % 3 == 0 else "INFO",
            "service": f"s{n % 4}",
            "message": f"=cmd {n}",
        }
        for n in range(40)
    ]
    await (await node.store.writer.submit(Submission(node.project_id, "t", Batch.from_records(events)))).committed()
    listed = (await client.get("/api/v1/reports")).json()["items"]
    assert [(one["name"], one["last_issue"]) for one in listed] == [("daily", None), ("lost", None)]
    made = await client.post("/api/v1/reports/daily/issues", json={"send": True})
    assert made.status_code == 201, made.text
    issue = made.json()
    assert (issue["has_pdf"], issue["created_by"], issue["due_at"]) == (True, "this machine", None)
    assert [sent["status"] for sent in issue["sent"]] == ["pending"]
    html = (await client.get(f"/api/v1/reports/issues/{issue['id']}/html")).text
    range_ = {"from": issue["from"], "to": issue["to"]}
    for query in ("| stats count() as n", "severity>=error | stats count() as n"):
        ((figure,),) = [row.values() for row in await client.rows(query, **range_)]
        assert re.search(rf'<div class="number [a-z]*">{number_text(figure)}</div>', html), query
    assert issue["summary"][0] == "Events: 40, none before."
    data = await client.get(f"/api/v1/reports/issues/{issue['id']}/data")
    with zipfile.ZipFile(io.BytesIO(data.content)) as archive:
        assert "events.csv" in archive.namelist()
        assert "'=cmd 39" in archive.read("recent.csv").decode()  # no formula in a spreadsheet
    pdf = await client.get(f"/api/v1/reports/issues/{issue['id']}/pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert "Overview" in (await client.get("/api/v1/reports/daily/preview")).text
    past = (await client.get("/api/v1/reports/daily/issues")).json()["items"]
    assert [one["id"] for one in past] == [issue["id"]]
    lost = (await client.post("/api/v1/reports/lost/issues", json={})).json()
    assert "no dashboard nowhere" in lost["error"]
    for path in ("none/preview", "issues/999", "issues/999/pdf", f"issues/{lost['id']}/html"):
        assert (await client.get(f"/api/v1/reports/{path}")).status_code == 404, path
    (entry, *_) = (await client.get("/api/v1/audit?what=report")).json()["items"]
    assert entry["what"] == "report.make"


SIX: dict[str, tuple[str, str]] = {
    "events": ("number", "service:* | stats count() as events"),
    "severity": ("bar", "service:* | timechart count() by severity"),
    "latency": ("timeseries", "service:* | timechart p95(took) as p95 by service"),
    "share": ("pie", "service:* | top 3 service"),
    "patterns": ("top", "severity>=warn | patterns limit=10 | fields pattern, count, share"),
    "slow": ("table", "service:* | stats count() as requests, p95(took) as p95 by path | sort -p95, path"),
}


async def test_six_panels_have_the_figures_of_the_dashboard(reporting: Node) -> None:
    """The page, the data, and what the API answers to a dashboard for the same queries and range."""
    from cordwood.core.storage.commit import Submission
    from cordwood.plugins import Batch

    end = datetime.now(UTC)
    events = [
        {"timestamp": (end - timedelta(seconds=10 + 13 * n)).isoformat(), "service": f"s{n % 4 % 3}",
         "took": n * 7 % 1013 / 4,
         "severity": "ERROR" if n % 7 == 0 else "INFO", "path": f"/p{n % 5}", "message": f"request {n} of /p{n % 5}"}
        for n in range(250)
    ]  # fmt: skip
    await (
        await reporting.store.writer.submit(Submission(reporting.project_id, "t", Batch.from_records(events)))
    ).committed()
    panels = [
        {"id": name, "title": name, "kind": kind, "query": query,
         "position": {"x": 6 * (at % 2), "y": 5 * (at // 2), "w": 6, "h": 5}}
        for at, (name, (kind, query)) in enumerate(SIX.items())
    ]  # fmt: skip
    text = CONFIG.replace("PORT", "1").replace("dashboard: overview", "dashboard: six")
    reporting.config = replace(reporting.config, reports=load_text(text, reporting.registry).reports)
    transport = httpx.ASGITransport(app=create_app(reporting))  # type: ignore[arg-type]
    async with Client(transport=transport, base_url="http://localhost", timeout=60) as client:
        dashboard = {"name": "six", "title": "Six", "panels": panels}
        assert (await client.post("/api/v1/dashboards", json=dashboard)).status_code == 201
        issue = (await client.post("/api/v1/reports/daily/issues", json={})).json()
        assert issue["has_pdf"], issue
        html = (await client.get(f"/api/v1/reports/issues/{issue['id']}/html")).text
        data = await client.get(f"/api/v1/reports/issues/{issue['id']}/data")
        for name, (kind, query) in SIX.items():
            asked = {"query": query, "from": issue["from"], "to": issue["to"], "limit": 20_000}
            answer = (await client.post("/api/v1/query", json=asked)).json()
            assert answer["rows"], name
            with zipfile.ZipFile(io.BytesIO(data.content)) as archive:
                head, *lines = csv.reader(io.StringIO(archive.read(f"{name}.csv").decode("utf-8-sig")))
            assert head == [column["name"] for column in answer["columns"]]
            assert [[float(cell) if is_number(value) else cell for cell, value in zip(line, row, strict=True)]
                    for line, row in zip(lines, answer["rows"], strict=True)] == [
                ["" if value is None else value for value in row] for row in answer["rows"]
            ]  # fmt: skip
            (panel,) = re.findall(rf"<h2>{name}</h2>(.*?)(?:<h2>|</body>)", html, re.DOTALL)
            columns = {column["name"]: at for at, column in enumerate(answer["columns"])}
            for row in answer["rows"] if kind in ("number", "top", "table") else ():
                for value in (value for at, value in enumerate(row) if is_number(value) and at != columns.get("share")):
                    assert f">{number_text(value)}<" in panel, (name, value)
            if kind == "pie":
                total = sum(row[columns["count"]] for row in answer["rows"])
                for row in answer["rows"]:
                    assert f"{row[columns['service']]} <b>{100 * row[columns['count']] / total:.1f} %</b>" in panel
            if kind in ("bar", "timeseries"):
                shown = series_of(Rows(tuple(columns), answer["rows"]))
                assert shown is not None
                bars = sum(bool(value) for values in shown.values.values() for value in values)
                assert kind != "bar" or panel.count("<rect") == bars
                assert all(f"</i>{series}</li>" in panel for series in shown.values)


async def test_a_pdf_loads_nothing() -> None:
    try:
        plain = await anyio.to_thread.run_sync(pdf_of, "<p>x</p>")
    except NoPdfError as why:
        pytest.skip(str(why))
    assert plain.startswith(b"%PDF-")
    # What cannot be fetched is left out; a file that was read would be in there.
    other = await anyio.to_thread.run_sync(pdf_of, '<p>x</p><a rel="attachment" href="file:///etc/passwd">y</a>')
    assert b"EmbeddedFile" not in other


def test_a_long_table_begins_where_the_page_has_room_and_goes_on_after_it() -> None:
    weasyprint = pytest.importorskip("weasyprint", reason="WeasyPrint needs Pango", exc_type=OSError)
    rows = Rows(("path", "n"), [[f"/{n}", n] for n in range(TABLE_ROWS + 1)])
    numbers = [
        Shown(Panel(f"n{y}", "N", "number", Position(0, y, 6, 4)), "", Rows(("n",), [[7]]), Rows()) for y in range(5)
    ]
    table = Shown(Panel("t", "Paths", "table", Position(0, 20, 12, 4)), "", rows)
    html = page(gathered(*numbers, table), "T", [], ZoneInfo("UTC"), NOON)
    first, second = weasyprint.HTML(string=html).render().pages
    (on_first, on_second) = (
        [box.text for box in one._page_box.descendants() if type(box).__name__ == "TextBox"] for one in (first, second)
    )
    assert {"Paths", "path", "/0"} <= set(on_first)
    assert {"path", f"/{TABLE_ROWS - 1}", "and 1 more row, in the data attached"} <= set(on_second)
