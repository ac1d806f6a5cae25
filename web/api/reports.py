"""`/api/v1/reports`: what the YAML has under `reports`, made by the clock or when asked, and its past issues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta

from ...config import ReportSettings
from ...config.schedules import next_due
from ...core.reports import store as storage
from ...core.reports.make import begin
from ...plugins import rfc3339
from ..problems import NotFoundProblem, described
from .alerts import Attempt, Cursor, Limit
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time

HTML, PDF, ZIP = "text/html", "application/pdf", "application/zip"
ReportName: TypeAlias = Annotated[str, PathParameter(name="name", max_length=100, description="The report's name")]
Number: TypeAlias = Annotated[int, PathParameter(name="id", description="The issue's number")]


class ReportDelivery(msgspec.Struct, frozen=True):
    """How the sending of an issue by one notifier went."""

    notifier: str
    channel: Annotated[str, Meta(description="The notifier's type", examples=["email"])]
    status: Literal["pending", "sent", "failed"]
    attempts: list[Attempt]
    error: str | None


class ReportIssue(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A report as it was made once."""

    id: int
    report: str
    title: str
    due_at: Annotated[Time | None, Meta(description="When it fell due; null: somebody asked for it")]
    from_: Annotated[Time, Meta(description="Begin of what it is about")]
    to: Time
    created_at: Time
    created_by: str | None
    error: Annotated[str | None, Meta(description="Why it could not be made")]
    summary: Annotated[list[str], Meta(description="What changed, a sentence each")]
    has_html: bool
    has_pdf: Annotated[bool, Meta(description="False where the server lacks Pango")]
    has_data: bool
    sent: list[ReportDelivery]


class ReportIssueList(msgspec.Struct, frozen=True):
    """A page of issues, newest first."""

    items: list[ReportIssue]
    next_cursor: str | None


class Report(msgspec.Struct, frozen=True):
    """A report of the running configuration."""

    name: str
    title: str | None
    dashboard: str
    schedule: Annotated[str, Meta(examples=["0 8 * * MON"])]
    timezone: str
    notify: list[str]
    next_at: Annotated[Time, Meta(description="When it falls due next")]
    last_issue: ReportIssue | None


class ReportList(msgspec.Struct, frozen=True):
    """The reports, by name."""

    items: list[Report]


class IssueBody(msgspec.Struct, frozen=True):
    """How an issue is made."""

    send: Annotated[bool, Meta(description="Send it by the report's notifiers as well")] = False


@get(
    "/api/v1/reports",
    operation_id="listReports",
    summary="Reports",
    tags=["reports"],
    opt={"access": "query"},
    responses=described(),
)
async def list_reports(node: NodeDependency, project_id: ProjectDependency) -> ReportList:
    """The reports of the running configuration, each with its newest issue. They are of the node's own project."""
    now = datetime.now(UTC)
    items = []
    for name, report in sorted(_reports(node, project_id).items()):
        newest = (await node.report_issues.list(project_id, name, cursor=None, limit=1)).items
        due = next_due(report.schedule, ZoneInfo(report.timezone), now)
        last = _shown(newest[0]) if newest else None
        items.append(
            Report(
                name,
                report.title,
                report.dashboard,
                report.schedule,
                report.timezone,
                report.notify,
                rfc3339(due),
                last,
            )
        )
    return ReportList(items)


@get(
    "/api/v1/reports/{name:str}/preview",
    operation_id="previewReport",
    summary="A report as it would be now",
    tags=["reports"],
    media_type=HTML,
    opt={"access": "query"},
    responses=described(404),
)
async def preview_report(node: NodeDependency, project_id: ProjectDependency, report_name: ReportName) -> Response[str]:
    """The page of a report up to now. It is not kept, and nobody is sent anything."""
    report = _report(node, project_id, report_name)
    now = datetime.now(UTC)
    html, *_ = await node.report_maker.page(report_name, report, begin(report, now), now)
    return Response(html, media_type=HTML)


@get(
    "/api/v1/reports/{name:str}/issues",
    operation_id="listReportIssues",
    summary="Past issues of a report",
    tags=["reports"],
    opt={"access": "query"},
    responses=described(),
)
async def list_report_issues(
    node: NodeDependency,
    project_id: ProjectDependency,
    report_name: ReportName,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReportIssueList:
    """The issues that are kept of a report, newest first; also of one that the configuration has no more."""
    found = await node.report_issues.list(project_id, report_name, cursor=cursor, limit=limit)
    return ReportIssueList([_shown(issue) for issue in found.items], found.next_cursor)


@post(
    "/api/v1/reports/{name:str}/issues",
    operation_id="makeReportIssue",
    summary="Make a report now",
    tags=["reports"],
    status_code=201,
    opt={"access": "operate"},
    responses=described(404),
)
async def make_report_issue(
    data: JSONBody[IssueBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    report_name: ReportName,
) -> ReportIssue:
    """Make an issue up to now and keep it; with `send` it is sent as well. Takes some seconds."""
    report = _report(node, project_id, report_name)
    number = await node.reports.make_now(report_name, report, who_asks(request).name, send=data.send)
    return await _issue(node, project_id, number)


@get(
    "/api/v1/reports/issues/{id:int}",
    operation_id="getReportIssue",
    summary="An issue of a report",
    tags=["reports"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_report_issue(node: NodeDependency, project_id: ProjectDependency, number: Number) -> ReportIssue:
    """What is known of an issue, and how its sending went."""
    return await _issue(node, project_id, number)


@get(
    "/api/v1/reports/issues/{id:int}/html",
    operation_id="getReportIssueHtml",
    summary="An issue as a page",
    tags=["reports"],
    media_type=HTML,
    opt={"access": "query"},
    responses=described(404),
)
async def get_report_issue_html(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Response[str]:
    """An issue as one page that loads nothing else."""
    content = await node.report_issues.content(project_id, number, "html")
    if not isinstance(content, str):
        raise _missing(number)
    return Response(content, media_type=HTML)


@get(
    "/api/v1/reports/issues/{id:int}/pdf",
    operation_id="getReportIssuePdf",
    summary="An issue as PDF",
    tags=["reports"],
    media_type=PDF,
    opt={"access": "query"},
    responses=described(404),
)
async def get_report_issue_pdf(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Response[bytes]:
    """An issue as PDF; 404 as well where the server that made it lacked Pango."""
    return await _file(node, project_id, number, "pdf", PDF)


@get(
    "/api/v1/reports/issues/{id:int}/data",
    operation_id="getReportIssueData",
    summary="An issue's figures",
    tags=["reports"],
    media_type=ZIP,
    opt={"access": "query"},
    responses=described(404),
)
async def get_report_issue_data(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Response[bytes]:
    """A ZIP with the rows of each panel as CSV."""
    return await _file(node, project_id, number, "data", ZIP)


async def _issue(node: NodeDependency, project_id: int, number: int) -> ReportIssue:
    found = await node.report_issues.get(project_id, number)
    if found is None:
        raise _missing(number)
    return _shown(found)


async def _file(
    node: NodeDependency, project_id: int, number: int, form: Literal["pdf", "data"], media_type: str
) -> Response[bytes]:
    content = await node.report_issues.content(project_id, number, form)
    if not isinstance(content, bytes):
        raise _missing(number)
    ending = "pdf" if form == "pdf" else "zip"
    headers = {"Content-Disposition": f'attachment; filename="report-{number}.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)


def _reports(node: NodeDependency, project_id: int) -> Mapping[str, ReportSettings]:
    """The reports of the configuration, where its project is asked for; another has none."""
    return node.config.reports if project_id == node.project_id else {}


def _report(node: NodeDependency, project_id: int, name: str) -> ReportSettings:
    found = _reports(node, project_id).get(name)
    if found is None:
        raise NotFoundProblem(f"the configuration has no report `{name}`; /api/v1/reports lists those it has")
    return found


def _missing(number: int) -> NotFoundProblem:
    return NotFoundProblem(f"there is no issue {number} of a report in this form")


def _shown(issue: storage.Issue) -> ReportIssue:
    plain = msgspec.to_builtins(issue, builtin_types=(datetime,))
    times = ("due_at", "from", "to", "created_at")
    return msgspec.convert(
        plain | {name: None if plain[name] is None else rfc3339(plain[name]) for name in times}, ReportIssue
    )
