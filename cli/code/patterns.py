"""`patterns/`: patterns that people merged, split or named. What tells one is its first text."""

from __future__ import annotations

import msgspec

from ...client import AsyncClient
from .kind import Kind, There, of_form

_PATH = "/api/v1/patterns"


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shaped pattern as its file says it."""

    patterns: list[str]
    name: str | None = None
    split: int | None = None


class Patterns(Kind[Pattern]):
    """See `Kind`."""

    folder = "patterns"
    form = Pattern

    async def there(self, client: AsyncClient) -> dict[str, There[Pattern]]:
        """See `Kind`."""
        found = {}
        async for item in client.items(_PATH, limit=200):
            says = of_form(Pattern, item)
            found[self.key(says)] = There(says, f"{_PATH}/{item['id']}", {"If-Match": f'"{item["version"]}"'})
        return found

    async def create(self, client: AsyncClient, wanted: Pattern) -> None:
        """See `Kind`."""
        await client.call("POST", _PATH, json=msgspec.to_builtins(wanted))

    async def change(self, client: AsyncClient, wanted: Pattern, old: There[Pattern]) -> None:
        """See `Kind`."""
        await client.call("PUT", old.path, json=msgspec.to_builtins(wanted), headers=old.headers)

    def key(self, says: Pattern) -> str:
        """See `Kind`."""
        return says.patterns[0] if says.patterns else ""

    def title(self, says: Pattern) -> str:
        """See `Kind`."""
        return says.name or self.key(says)
