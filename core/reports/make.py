"""Makes one issue of a report: figures, words, page, PDF and data."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ...config import ReportSettings
from ...config.schedules import last_due
from ...plugins import in_worker
from ...plugins.errors import RejectedError
from ..dashboards.store import Dashboards
from .files import NoPdfError, data_of, pdf_of
from .gather import Engine, gather
from .store import Made
from .summary import summary

_log = logging.getLogger(__name__)


class Maker:
    """Makes issues for one project."""

    def __init__(self, engine: Engine, dashboards: Dashboards, project_id: int) -> None:
        self._engine, self._dashboards, self._project = engine, dashboards, project_id

    async def issue(
        self, name: str, report: ReportSettings, to: datetime, *, due_at: datetime | None = None, by: str | None = None
    ) -> Made:
        """An issue up to `to`. One that cannot be made says why in `error`.

        :raises RetryableError: the store does not answer
        """
        started = time.monotonic()
        from_ = begin(report, to)
        try:
            html, words, data, title = await self.page(name, report, from_, to)
        except RejectedError as why:
            title = report.title or name
            return Made(report=name, title=title, due_at=due_at, from_=from_, to=to, created_by=by, error=str(why))
        try:
            pdf: bytes | None = await in_worker(pdf_of, html)
        except NoPdfError as why:
            _log.warning("report %s: %s", name, why)
            pdf = None
        _log.info("report %s: made in %.1f s", name, time.monotonic() - started)
        return Made(
            report=name, title=title, due_at=due_at, from_=from_, to=to, created_by=by, summary=words,
            html=html, pdf=pdf, data=data,
        )  # fmt: skip

    async def page(
        self, name: str, report: ReportSettings, from_: datetime, to: datetime
    ) -> tuple[str, list[str], bytes, str]:
        """The page, its sentences, the data and the title.

        :raises RejectedError: there is no such dashboard
        :raises RetryableError: the store does not answer
        """
        from .page import page  # with Markdown, which a node without reports does not need

        stored = await self._dashboards.get(self._project, report.dashboard)
        if stored is None:
            raise RejectedError(f"there is no dashboard {report.dashboard}; reports.{name}.dashboard names it")
        gathered = await gather(self._engine, self._project, stored.dashboard, from_, to, report.timezone)
        title = report.title or stored.dashboard.title
        words = summary(gathered)
        html = await in_worker(page, gathered, title, words, ZoneInfo(report.timezone), datetime.now(UTC))
        return html, words, await in_worker(data_of, gathered), title


def begin(report: ReportSettings, to: datetime) -> datetime:
    """Where the range of an issue up to `to` begins: a period before, or where the one before it was due."""
    if report.period is not None:
        return to - report.period
    zone = ZoneInfo(report.timezone)
    due = last_due(report.schedule, zone, to)
    if to - due >= timedelta(minutes=1):  # asked for in between: as long as the one before was
        return to - (due - last_due(report.schedule, zone, due - timedelta(seconds=2)))
    return last_due(report.schedule, zone, due - timedelta(seconds=2)).astimezone(UTC)
