"""Templates that people write: Jinja2, sandboxed, over the fields of a notification.

No attribute of Python's inside is reachable, and a name that does not exist is an error instead of nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from .base import in_worker
from .errors import ConfigError, RejectedError
from .notification import Notification

MAX_RENDERED = 1_048_576  # bytes that a template may make: more is a mistake in it
MAX_TEMPLATE = 20_000  # characters
Template = Callable[[Notification], str]


def template(text: str, setting: str) -> Template:
    """A function that renders it; raises RejectedError where it fails on a notification, or makes too much.

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
            raise RejectedError(f"the template fails: {type(why).__name__}: {str(why)[:200]}") from None
        size = len(said.encode("utf-8", "replace"))
        if size > MAX_RENDERED:
            raise RejectedError(f"the template makes {size} bytes; at most {MAX_RENDERED} are sent")
        return said

    return render


def fields(notification: Notification) -> dict[str, Any]:
    """What a template knows. Files and charts are not in it: the link leads to them."""
    left_out = ("attachments", "chart", "first")
    return {name: getattr(notification, name) for name in notification.__slots__ if name not in left_out}


async def worded(text: str | None, notification: Notification) -> tuple[Notification, str | None]:
    """The notification as a `template` words it, and why that failed, if it did: it says the usual then.

    Reports and digests have words of their own.
    """
    if text is None or not notification.incident_id:
        return notification, None
    try:
        said = await in_worker(template(text, "template"), notification)
    except (ConfigError, RejectedError) as why:
        return notification, str(why)
    return replace(notification, words=said.strip().replace("\0", "")), None
