"""A notification as the HTML of a mail: no script, nothing loaded, whatever comes from events escaped."""

from __future__ import annotations

from html import escape

from ..plugins import Notification, details, figures, headline
from .slack import colour_of

_INK, _PALE, _LINE = "#222", "#665e51", "#e3ddd1"
_CELL = f"padding:3px 12px 3px 0;border-bottom:1px solid {_LINE};vertical-align:top;text-align:left"


def html(notification: Notification, chart: str | None) -> str:
    """The page; `chart` is where its picture is, such as `cid:…`. With a template's words, these instead of figures."""
    colour = colour_of(notification)
    parts = [f'<h1 style="font-size:17px;margin:0 0 12px;overflow-wrap:anywhere">{escape(headline(notification))}</h1>']
    if notification.incident_id and not notification.words:
        parts.append(_table(notification))
    if chart is not None and notification.chart is not None:
        parts.append(_picture(notification, chart))
    if said := details(notification):
        box = f"background:#f6f3ee;padding:8px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;color:{_INK}"
        parts.append(f'<pre style="{box}">{escape(said)}</pre>')
    parts.append(_links(notification, colour))
    frame = (
        f"max-width:620px;font:14px/1.45 sans-serif;color:{_INK};border-left:4px solid {colour};padding:4px 0 4px 14px"
    )
    return f'<!DOCTYPE html><html lang="en"><body><div style="{frame}">{"".join(parts)}</div></body></html>'


def _table(notification: Notification) -> str:
    rows = {**figures(notification), "opened": _moment(notification.opened_at)}
    if notification.resolved_at is not None:
        rows["resolved"] = _moment(notification.resolved_at)
    cells = "".join(
        f'<tr><th style="{_CELL};font-weight:normal;color:{_PALE}">{escape(name)}</th>'
        f'<td style="{_CELL};overflow-wrap:anywhere">{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f'<table style="border-collapse:collapse;margin:0 0 12px">{cells}</table>'


def _picture(notification: Notification, place: str) -> str:
    chart = notification.chart
    assert chart is not None
    most = max(chart.counts, default=0)
    words = f"events from {_moment(chart.begin)} to {_moment(chart.end)}, at most {most:,} in a bar"
    return (
        f'<p style="margin:0 0 12px"><img src="{escape(place)}" alt="{escape(words)}" width="588" height="82" '
        f'style="max-width:100%;display:block"><span style="font-size:12px;color:{_PALE}">{escape(words)}</span></p>'
    )


def _links(notification: Notification, colour: str) -> str:
    label = f"Incident {notification.incident_id}" if notification.incident_id else "Open in Cordwood"
    links = [(notification.link, label, f"background:{colour};color:#fff;border:1px solid {colour}")]
    if notification.acknowledge:
        links.append((notification.acknowledge, "Acknowledge", f"color:{colour};border:1px solid {colour}"))
    shape = "display:inline-block;padding:6px 14px;margin:0 8px 0 0;border-radius:3px;text-decoration:none"
    return "".join(f'<a href="{escape(to)}" style="{shape};{look}">{escape(text)}</a>' for to, text, look in links)


def _moment(text: str) -> str:
    """2026-01-31 12:00:05 UTC, of RFC 3339."""
    return f"{text[:10]} {text[11:19]} UTC"
