"""`saved-queries/`: queries under a name; with parameters they are the macros of others."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from ...client import AsyncClient
from .kind import Kind, There, of_form

_PATH = "/api/v1/saved-queries"


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a use of the query gives, as `$name` in its text."""

    name: str
    default: str | None = None


class SavedQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A saved query as its file says it."""

    name: str
    text: str
    description: str = ""
    parameters: list[Parameter] = []


class SavedQueries(Kind[SavedQuery]):
    """See `Kind`."""

    folder = "saved-queries"
    query_field = "text"
    form = SavedQuery

    async def there(self, client: AsyncClient) -> dict[str, There[SavedQuery]]:
        """See `Kind`."""
        found = {}
        async for item in client.items(_PATH, limit=1000):
            says = of_form(SavedQuery, item)
            found[says.name] = There(says, f"{_PATH}/{quote(says.name, safe='')}", {})
        return found

    async def create(self, client: AsyncClient, wanted: SavedQuery) -> None:
        """See `Kind`."""
        await client.call("POST", _PATH, json=msgspec.to_builtins(wanted))

    async def change(self, client: AsyncClient, wanted: SavedQuery, old: There[SavedQuery]) -> None:
        """See `Kind`."""
        await client.call("PUT", old.path, json=msgspec.to_builtins(wanted), headers=old.headers)
