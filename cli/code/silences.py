"""`silences/`: those that have not ended. A silence has no name: its begin, its reason and what it fits tell it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from ...client import AsyncClient
from ...config import parse_duration
from ...config.tree import Element
from .kind import Kind, There, of_form

_PATH = "/api/v1/silences"
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Windows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When it holds, again and again."""

    schedule: str
    duration: str
    timezone: str = "UTC"


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A silence as its file says it."""

    from_: Moment
    until: Moment
    reason: str = ""
    detectors: list[str] = []
    match: dict[str, list[str]] = {}
    severities: list[str] = []
    recurring: Windows | None = None


class Silences(Kind[Silence]):
    """See `Kind`."""

    folder = "silences"
    form = Silence

    async def there(self, client: AsyncClient) -> dict[str, There[Silence]]:
        """See `Kind`."""
        found = {}
        for state in ("active", "coming"):
            async for item in client.items(_PATH, limit=200, state=state):
                says = of_form(Silence, item)
                found[self.key(says)] = There(says, f"{_PATH}/{item['id']}", {"If-Match": f'"{item["version"]}"'})
        return found

    async def create(self, client: AsyncClient, wanted: Silence) -> None:
        """See `Kind`."""
        await client.call("POST", _PATH, json=msgspec.to_builtins(wanted))

    async def change(self, client: AsyncClient, wanted: Silence, old: There[Silence]) -> None:
        """See `Kind`."""
        await client.call("PUT", old.path, json=msgspec.to_builtins(wanted), headers=old.headers)

    def key(self, says: Silence) -> str:
        """See `Kind`."""
        fits = msgspec.json.encode([sorted(says.detectors), says.match], order="sorted").decode()
        return f"{says.from_.astimezone(UTC).isoformat()} {says.reason} {fits}"

    def title(self, says: Silence) -> str:
        """See `Kind`."""
        return f"{says.from_.astimezone(UTC):%Y-%m-%d} {says.reason}".strip()

    def same(self, one: Silence, other: Silence) -> bool:
        """See `Kind`: `2h` and `120m` are the same."""
        return _meant(one) == _meant(other)

    def past(self, wanted: Silence) -> str | None:
        """See `Kind`."""
        return f"it ended at {wanted.until.isoformat()}" if wanted.until <= datetime.now(UTC) else None

    def load(self, element: Element, path: Path) -> Silence:
        """See `Kind`."""
        says = super().load(element, path)
        if says.recurring is not None:
            try:
                parse_duration(says.recurring.duration)
            except ValueError as why:
                item = element.items["recurring"].items["duration"]
                raise item.place.error(f"recurring.duration: {why}") from None
        return says


def _meant(says: Silence) -> tuple[Any, ...]:
    windows = says.recurring and (
        says.recurring.schedule,
        parse_duration(says.recurring.duration),
        says.recurring.timezone,
    )
    return says.until, set(says.severities), windows
