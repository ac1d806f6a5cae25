"""Settings that notifiers of single messages share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .base import PluginConfig
from .durations import Duration, duration_ns


def _some_time(text: str) -> str:
    if not 1_000_000_000 <= duration_ns(text) <= 86_400_000_000_000:
        raise ValueError(f"{text} is no time for a limit; use 1s to 24h")
    return text


class RateLimit(BaseModel):
    """How many messages a channel gets; what is beyond goes out as one digest when the time is over."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

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
