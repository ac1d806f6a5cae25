"""Where segments' bytes may be: in PostgreSQL, or in a place that is configured, by the name that the catalog has."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from ....config import Config
from ....plugins.base import Place
from ....plugins.errors import DeliveryError, RetryableError
from ..parts import POSTGRESQL

_CHECK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Places:
    """`current` is where merged segments go, `known` the places beside PostgreSQL."""

    current: str = POSTGRESQL
    known: Mapping[str, Place[Any]] = field(default_factory=dict)

    def named(self, name: str) -> Place[Any]:
        """The place of this name.

        :raises RetryableError: it is not configured, which an operator can mend while we run
        """
        if name not in self.known:
            raise RetryableError(
                f"there are segments in the place {name}, which is not configured: add it under store.places"
            )
        return self.known[name]

    @classmethod
    def of(cls, config: Config) -> Places:
        """Those that a configuration names."""
        return cls(config.place, {name: entry.make() for name, entry in config.places.items()})

    async def problem(self, name: str) -> str:
        """Why a place cannot be used; nothing: an object could be written, read and deleted there."""
        if name == POSTGRESQL:
            return ""
        key = f"check-{secrets.token_hex(8)}"
        try:
            place = self.named(name)
            with anyio.fail_after(_CHECK_SECONDS):
                await place.put(key, key.encode())
                same = await place.get(key) == key.encode()
                await place.delete([key])
        except DeliveryError as why:
            return str(why)
        except TimeoutError:
            return f"{self.where(name)} does not answer"
        return "" if same else f"{self.where(name)} does not give back what it was given"

    def where(self, name: str) -> str:
        """The place in words: its name and where it is."""
        return f"the place {name} ({self.known[name].location})" if name in self.known else f"the place {name}"
