"""Templates that people write: Jinja2, sandboxed, over the fields of a notification.

No attribute of Python's inside is reachable, and a name that does not exist is an error instead of nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from traceback import walk_tb
from typing import Any

import msgspec

from .base import in_worker
from .errors import ConfigError, RejectedError
from .notification import Notification

MAX_RENDERED = 1_048_576  # bytes that a template may make: more is a mistake in it
MAX_TEMPLATE = 20_000  # characters
_FILE = "<template>"  # what Jinja calls the file of a template that is none
Template = Callable[[Notification], str]


class FailingTemplateError(RejectedError):
    """A template fails on a notification, in its line of this number, from 1; None: nobody knows where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"{message} (line {line} of the template)" if line else message)
        self.line = line


def template(text: str, setting: str) -> Template:
    """A function that renders it; raises FailingTemplateError where it fails on a notification, or makes too much.

    :raises ConfigError: it is no template; `setting` names it
    """
    from jinja2 import StrictUndefined, TemplateError  # slow to import, and most have no template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.filters["json"] = lambda value: msgspec.json.encode(value).decode()
    try:
        made = environment.from_string(text)
    except TemplateError as why:
        raise ConfigError(f"{setting}: {why.message} (line {getattr(why, 'lineno', 1)} of the template)") from why

    def render(notification: Notification) -> str:
        try:
            said = made.render(fields(notification))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as why:
            lines = [line for frame, line in walk_tb(why.__traceback__) if frame.f_code.co_filename == _FILE]
            said = f"the template fails: {type(why).__name__}: {str(why)[:200]}"
            raise FailingTemplateError(said, lines[-1] if lines else None) from None
        size = len(said.encode("utf-8", "replace"))
        if size > MAX_RENDERED:
            raise FailingTemplateError(f"the template makes {size} bytes; at most {MAX_RENDERED} are sent")
        return said

    return render


def fields(notification: Notification) -> dict[str, Any]:
    """What a template knows. Files and charts are not in it: the link leads to them."""
    left_out = ("attachments", "chart", "first")
    return {name: getattr(notification, name) for name in notification.__slots__ if name not in left_out}


def line_of(why: ConfigError | RejectedError) -> int | None:
    """The line of a template that is wrong; None: nobody knows."""
    found = why.line if isinstance(why, FailingTemplateError) else getattr(why.__cause__, "lineno", None)
    return found if isinstance(found, int) else None


async def worded(text: str | None, notification: Notification) -> tuple[Notification, str | None]:
    """The notification as a `template` words it, and why that failed, if it did: it says the usual then.

    Reports and digests have words of their own.
    """
    try:
        return await in_words(text, notification), None
    except (ConfigError, RejectedError) as why:
        return notification, str(why)


async def in_words(text: str | None, notification: Notification) -> Notification:
    """The same.

    :raises ConfigError, RejectedError: the template fails; see `line_of`
    """
    if text is None or not notification.incident_id:
        return notification
    said = await in_worker(template(text, "template"), notification)
    return replace(notification, words=said.strip().replace("\0", ""))
