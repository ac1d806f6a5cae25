"""Android's log, as `adb logcat` prints it in its formats `threadtime` (the usual one), `time` and `brief`.

    parse: [{type: logcat}]

    03-17 16:13:38.811  1702  2395 D WindowManager: screen on

Source: Android, "Logcat command-line tool". The lines have no year: it is the latest that is not in the future.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_TIME = r"(?P<timestamp>(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3,6})"
_LAYOUTS = ("%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_LEVEL = r"(?P<severity>[VDIWEFA])"
_MESSAGE = r"(?P<message>(?s:.*))$"
_NUMBERS = {"process.pid": "int", "thread.id": "int"}
_LEVELS = {"a": 21}  # assert, which logcat calls F today


class Logcat(FormParser):
    """Take time, process, thread, severity and tag (`log.logger`) from a line of Android's log."""

    what = "logcat"
    forms = (
        Form.of(
            rf"^{_TIME}(?: +[a-z][a-z0-9_]*)? +(?P<process.pid>[0-9]+) +(?P<thread.id>[0-9]+) {_LEVEL} "
            rf"(?P<log.logger>.*?) *: {_MESSAGE}",
            *_LAYOUTS, kinds=_NUMBERS, levels=_LEVELS,
        ),
        Form.of(
            rf"^{_TIME} {_LEVEL}/(?P<log.logger>[^(\n]*?) *\( *(?P<process.pid>[0-9]+)\): {_MESSAGE}",
            *_LAYOUTS, kinds=_NUMBERS, levels=_LEVELS,
        ),
        Form.of(
            rf"^{_LEVEL}/(?P<log.logger>[^(\n]*?) *\( *(?P<process.pid>[0-9]+)\): {_MESSAGE}",
            kinds=_NUMBERS, levels=_LEVELS,
        ),
    )  # fmt: skip


@hookimpl
def cordwood_plugins() -> list[type[Logcat]]:
    """The parser of Android's log."""
    return [Logcat]
