"""The door for peers that come to a listener of a source's own: whether they may is known in the web room alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ...plugins import RetryableError
from ..storage.database import DATABASE_ERRORS, trouble


@dataclass(slots=True)
class Door:
    """Asks `welcome`, which the web room sets as soon as it serves."""

    welcome: Callable[[Mapping[str, str], str, str], Awaitable[None]] | None = None

    async def authorise(self, headers: Mapping[str, str], client: str, project: str) -> None:
        """See `plugins.Outlet.authorise`; `project` is where the listener stores."""
        if self.welcome is None:
            raise RetryableError("Cordwood starts; try again", after=1)
        try:
            await self.welcome(headers, client, project)
        except DATABASE_ERRORS as why:
            raise RetryableError(f"{trouble(why)}; try again", after=1) from why
