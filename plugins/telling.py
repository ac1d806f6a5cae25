"""Settings that notifiers of single messages share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .base import PluginConfig
from .described import Described
from .durations import Duration, duration_ns
from .errors import ConfigError
from .templating import MAX_TEMPLATE, template


def _some_time(text: str) -> str:
    if not 1_000_000_000 <= duration_ns(text) <= 86_400_000_000_000:
        raise ValueError(f"{text} is no time for a limit; use 1s to 24h")
    return text


def _template(text: str | None) -> str | None:
    if text is not None:
        try:
            template(text, "template")
        except ConfigError as why:
            raise ValueError(str(why).removeprefix("template: ")) from None
    return text


class RateLimit(Described, BaseModel):
    """How many messages a channel gets; what is beyond goes out as one digest when the time is over."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    messages: Annotated[int, Field(ge=1, le=10_000)]
    """As many in that time, attempts that fail included."""
    within: Annotated[Duration, AfterValidator(_some_time)] = "1m"
    """The time, which begins with its first message: `1s` to `24h`."""


class NotifierConfig(PluginConfig):
    """Settings of every notifier whose messages people read, and which can be gathered into one.

    A notifier that opens and resolves something on the other side extends `PluginConfig`: a digest resolves nothing.
    """

    rate_limit: RateLimit | None = None
    """At most so many messages, such as `{messages: 10, within: 1m}`; what is beyond comes as one digest."""
    template: Annotated[str | None, Field(max_length=MAX_TEMPLATE), AfterValidator(_template)] = None
    """A Jinja2 template of what a message about an incident says: its first line is the headline, the others stand in
    place of figures and samples; the links are always there. It knows `event`, `title`, `severity`, `detector`,
    `group`, `values`, `samples`, `text`, `link`, `incident_id`, `opened_at`, `resolved_at`, `project`, and the filter
    `json`."""
