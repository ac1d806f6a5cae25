"""The message that brings a report: its row of the outbox, with the files of its issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...plugins import Attachment, Notification
from ..storage.database import Connection

MOST_ATTACHED = 10 << 20  # bytes: mail servers take few more


async def report_notification(
    connection: Connection, row: Mapping[str, Any], link: Callable[[str], str]
) -> Notification | None:
    """The notification of a row with an `issue_id`; `link` gives the address of a report's page.

    None: the issue is gone meanwhile, and the row with it.
    """
    issue = await connection.fetchrow("select pdf, data, html from report_issue where id = $1", row["issue_id"])
    if issue is None:
        return None
    report = row["payload"]["detector"]
    files = [
        Attachment(f"{report}.pdf", "application/pdf", issue["pdf"])
        if issue["pdf"] is not None
        else Attachment(f"{report}.html", "text/html", (issue["html"] or "").encode()),
    ]
    if issue["data"] is not None:
        files.append(Attachment(f"{report}.zip", "application/zip", issue["data"]))
    while sum(len(file.content) for file in files) > MOST_ATTACHED:
        files.pop()  # the link leads to all of it
    return Notification(
        delivery_id=str(row["delivery_id"]),
        event="report",
        incident_id=0,
        link=link(report),
        samples=(),
        project=row["project"],
        attachments=tuple(files),
        **row["payload"],
    )
