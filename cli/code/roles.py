"""`roles/`: those that administrators made. The built-in ones are the same everywhere."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import msgspec

from ...client import AsyncClient
from .kind import Kind, There, of_form

_PATH = "/api/v1/roles"


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that is not shown as it is."""

    field: str
    how: Literal["stars", "hash"] = "stars"


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role as its file says it."""

    name: str
    permissions: list[Literal["query", "ingest", "edit", "operate", "admin"]]
    search: str = ""
    masks: list[Mask] = []


class Roles(Kind[Role]):
    """See `Kind`."""

    folder = "roles"
    query_field = "search"
    form = Role

    async def there(self, client: AsyncClient) -> dict[str, There[Role]]:
        """See `Kind`."""
        found = {}
        async for item in client.items(_PATH):
            if not item["built_in"]:
                path = f"{_PATH}/{quote(item['name'], safe='')}"
                answer = await client.call("GET", path)
                says = of_form(Role, answer.json())
                found[says.name] = There(says, path, {"If-Match": answer.headers["ETag"]})
        return found

    async def create(self, client: AsyncClient, wanted: Role) -> None:
        """See `Kind`."""
        await client.call("POST", _PATH, json=msgspec.to_builtins(wanted))

    async def change(self, client: AsyncClient, wanted: Role, old: There[Role]) -> None:
        """See `Kind`."""
        body = msgspec.to_builtins(wanted)
        del body["name"]
        await client.call("PUT", old.path, json=body, headers=old.headers)

    def same(self, one: Role, other: Role) -> bool:
        """See `Kind`: permissions have no order."""
        return (one.search, one.masks, set(one.permissions)) == (other.search, other.masks, set(other.permissions))
