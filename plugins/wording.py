"""Groups and notifications in plain words, for titles and for channels that carry text."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Json
from .notification import Notification

MAX_SAMPLE = 500  # characters of a sample's message: five of them still fit on a phone's screen


def headline(notification: Notification) -> str:
    """One line: what happened, how bad, and what it is about. Never has a line break."""
    if notification.words:
        return " ".join(notification.words.partition("\n")[0].split())
    if notification.event == "report":
        return " ".join(f"Report: {notification.title}".split())
    if notification.event == "digest":
        return " ".join(f"[{notification.severity}] {notification.title}".split())
    state = "RESOLVED" if notification.event == "resolved" else notification.severity
    pending = {"escalated": "Not acknowledged: ", "flapping": "Flapping: "}.get(notification.event, "")
    return " ".join(f"[{state}] {pending}{notification.title}".split())


def plain_text(notification: Notification) -> str:
    """A few lines: the headline, the figures, when, the samples' messages, and the link."""
    if notification.event == "report":
        return "\n".join([headline(notification), "", notification.text, "", notification.link])
    if notification.event == "digest":
        return "\n".join([headline(notification), "", details(notification), "", notification.link])
    answer = [f"Acknowledge: {notification.acknowledge}"] if notification.acknowledge else []
    if notification.words:
        said = said_words(notification)
        return "\n".join([headline(notification), *(["", said] if said else []), "", *answer, notification.link])
    lines = [headline(notification), ""]
    values = [f"{name}: {value_words(value)}" for name, value in {**notification.group, **notification.values}.items()]
    lines += [", ".join(values)] if values else []
    lines += [notification.text] if notification.text else []
    lines.append(f"Opened {_minute(notification.opened_at)}")
    if notification.resolved_at is not None:
        lines.append(f"Resolved {_minute(notification.resolved_at)}")
    messages = sample_messages(notification)
    return "\n".join([*lines, *(["", *messages] if messages else []), "", *answer, notification.link])


def said_words(notification: Notification) -> str:
    """What a template says below the headline; empty where there is none."""
    return notification.words.partition("\n")[2].strip()


def sample_messages(notification: Notification) -> list[str]:
    """The samples' messages, each cut and on one line; none when it is resolved. With a template, its own lines."""
    if notification.words:
        return said_words(notification).split("\n") if said_words(notification) else []
    if notification.event == "resolved":
        return []
    messages = (" ".join(str(sample.get("message", "")).split()) for sample in notification.samples)
    return [text if len(text) <= MAX_SAMPLE else f"{text[:MAX_SAMPLE]}…" for text in messages if text]


def details(notification: Notification) -> str:
    """The samples' messages, or what a report says; empty where there is neither."""
    more = "" if notification.words else notification.text
    return "\n".join([*sample_messages(notification), *filter(None, [more])])


def state_or_level(notification: Notification) -> str:
    """What a colour or an urgency goes by: `resolved`, else the severity without its step, such as `ERROR`."""
    return "resolved" if notification.event == "resolved" else notification.severity.rstrip("234")


def incident_key(notification: Notification) -> str:
    """A name that is the same in all messages of an incident, and of its own for each report."""
    return f"cordwood/{notification.project}/{notification.incident_id or notification.delivery_id}"


def figures(notification: Notification, *, most: int = 50, longest: int = 500) -> dict[str, str]:
    """Fields of the group and values in words, at most so many, none longer than so many characters."""
    both = list({**notification.group, **notification.values}.items())[:most]
    return {name[:longest]: value_words(value)[:longest] for name, value in both}


def value_words(value: Json) -> str:
    """A value as people read it.

    >>> value_words(62), value_words(0.123456789), value_words(None), value_words("pay")
    ('62', '0.1235', 'without a value', 'pay')
    """
    if value is None:
        return "without a value"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def group_words(group: Mapping[str, Json]) -> str:
    """The group's fields with their values; nothing where there are none.

    >>> group_words({"service": "pay", "host": None})
    'service pay, host without a value'
    """
    return ", ".join(f"{name} {value_words(value)}" for name, value in group.items())


def _minute(moment: str) -> str:
    """2026-01-31 12:00:05 UTC, of RFC 3339.

    >>> _minute("2026-01-31T12:00:05.000000000Z")
    '2026-01-31 12:00:05 UTC'
    """
    return f"{moment[:10]} {moment[11:19]} UTC"
