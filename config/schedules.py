"""When something falls due: cron expressions in a time zone, as cronsim reads them: Debian's cron, with summer time."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MOST_YEARS = 5  # a schedule that does not come about within them is a mistake: a fifth Monday in February


def checked_schedule(text: str) -> str:
    """The expression as it is.

    :raises ValueError: it is none, or it never comes about

    >>> checked_schedule("0 8 * * MON")
    '0 8 * * MON'
    """
    if len(text) > 100 or len(text.split()) > 5:  # cronsim would take seconds for a sixth
        raise ValueError("a schedule has five fields, such as 0 8 * * MON")
    try:
        found = next(CronSim(text, datetime(2026, 1, 1)), None)  # noqa: DTZ001 - any day will do
    except CronSimError as why:
        raise ValueError(f"{text!r} is no schedule ({why}); write five fields, such as 0 8 * * MON") from None
    if found is None or found.year > 2026 + MOST_YEARS:
        raise ValueError(f"{text!r} never comes about")
    return text


def next_due(schedule: str, zone: ZoneInfo, after: datetime) -> datetime:
    """The first moment of the schedule after `after`, in that zone.

    >>> next_due("0 8 * * MON", ZoneInfo("Europe/Berlin"), datetime.fromisoformat("2026-03-28T12:00:00Z")).isoformat()
    '2026-03-30T08:00:00+02:00'
    """
    return next(CronSim(schedule, after.astimezone(zone)))


def last_due(schedule: str, zone: ZoneInfo, until: datetime) -> datetime:
    """The last moment of the schedule that is not after `until`."""
    return next(CronSim(schedule, until.astimezone(zone) + timedelta(seconds=1), reverse=True))
