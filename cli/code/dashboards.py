"""`dashboards/`: the documents that the API exports and imports, without those that are built in."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from ...client import AsyncClient
from ...core.dashboards.model import Dashboard
from .kind import Kind, There

_PATH = "/api/v1/dashboards"


class Dashboards(Kind[Dashboard]):
    """See `Kind`."""

    folder = "dashboards"
    form = Dashboard

    async def there(self, client: AsyncClient) -> dict[str, There[Dashboard]]:
        """See `Kind`."""
        found = {}
        async for item in client.items(_PATH, limit=1000):
            if not item["built_in"]:
                path = f"{_PATH}/{quote(item['name'], safe='')}"
                answer = await client.call("GET", path)
                says = msgspec.convert(answer.json(), Dashboard)
                found[says.name] = There(says, path, {"If-Match": answer.headers["ETag"]})
        return found

    async def create(self, client: AsyncClient, wanted: Dashboard) -> None:
        """See `Kind`."""
        await client.call("POST", _PATH, json=msgspec.to_builtins(wanted))

    async def change(self, client: AsyncClient, wanted: Dashboard, old: There[Dashboard]) -> None:
        """See `Kind`."""
        await client.call("PUT", old.path, json=msgspec.to_builtins(wanted), headers=old.headers)
