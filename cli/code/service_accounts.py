"""`service-accounts/`: accounts of programs, without their tokens, whose secrets nobody has a second time."""

from __future__ import annotations

import msgspec

from ...client import AsyncClient
from .kind import Kind, There

_PATH = "/api/v1/users"
_DEFAULT_PROJECT = "default"


class ServiceAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service account as its file says it."""

    name: str
    role: str = "viewer"
    disabled: bool = False


class ServiceAccounts(Kind[ServiceAccount]):
    """See `Kind`. Those of other projects, which administrators of `default` see, are left out."""

    folder = "service-accounts"
    form = ServiceAccount

    async def there(self, client: AsyncClient) -> dict[str, There[ServiceAccount]]:
        """See `Kind`."""
        own = (await client.call("GET", "/api/v1/session")).json()["project"] or _DEFAULT_PROJECT
        found = {}
        async for item in client.items(_PATH, limit=1000):
            if item["service"] and item["project"] == own:
                says = ServiceAccount(item["email"], item["role"], item["disabled"])
                found[says.name] = There(says, f"{_PATH}/{item['id']}", {})
        return found

    async def create(self, client: AsyncClient, wanted: ServiceAccount) -> None:
        """See `Kind`."""
        body = {"email": wanted.name, "role": wanted.role, "service": True}
        made = (await client.call("POST", _PATH, json=body)).json()["user"]
        if wanted.disabled:
            await client.call("PATCH", f"{_PATH}/{made['id']}", json={"disabled": True})

    async def change(self, client: AsyncClient, wanted: ServiceAccount, old: There[ServiceAccount]) -> None:
        """See `Kind`."""
        body = {"role": wanted.role, "disabled": wanted.disabled}
        await client.call("PATCH", old.path, json=body)
