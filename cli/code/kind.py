"""A kind of thing that people make in an installation: a folder of files, one for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from ...client import AsyncClient
from ...config.tree import Element
from .files import of_file, said, to_yaml

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class There(Generic[T]):
    """A thing of the installation: what it says, the path that it is changed by, and the headers that go with it."""

    says: T
    path: str
    headers: Mapping[str, str]


class Kind(ABC, Generic[T]):
    """How one kind is read from a server, written as a file, and brought to a server."""

    folder: ClassVar[str]
    """Of its files, below the folder of the installation."""
    query_field: ClassVar[str | None] = None
    """Where its query stands, which the server's errors point into."""
    form: type[T]

    @abstractmethod
    async def there(self, client: AsyncClient) -> dict[str, There[T]]:
        """Those of the installation, by `key`, without what it was born with."""

    @abstractmethod
    async def create(self, client: AsyncClient, wanted: T) -> None:
        """Make one that is not there."""

    @abstractmethod
    async def change(self, client: AsyncClient, wanted: T, old: There[T]) -> None:
        """Let one that is there say something else."""

    async def delete(self, client: AsyncClient, old: There[T]) -> None:
        """Delete one that is there."""
        await client.call("DELETE", old.path, headers=old.headers)

    def key(self, says: T) -> str:
        """What tells it from others of its kind."""
        return str(says.name)  # type: ignore[attr-defined]  # a form without a name has a key of its own

    def title(self, says: T) -> str:
        """What people call it, and its file is named after."""
        return self.key(says)

    def same(self, one: T, other: T) -> bool:
        """Whether both mean the same, however it is written."""
        return bool(said(one) == said(other))

    def past(self, wanted: T) -> str | None:
        """Why one of a file has no place in an installation any more; None: it has."""
        return None

    def load(self, element: Element, path: Path) -> T:
        """What the file at `path` says, which has the right form.

        :raises ConfigError: it cannot be
        """
        return of_file(self.form, element)

    def files(self, says: T, stem: str) -> dict[str, bytes]:
        """Its files by name, the first of which is YAML."""
        return {f"{stem}.yaml": to_yaml(said(says)).encode()}

    def shown(self, says: T) -> str:
        """What is compared for people's eyes."""
        return to_yaml(said(says))


def of_form(form: type[T], found: Mapping[str, Any]) -> T:
    """What an answer of the API says of a form: the fields that the form has."""
    names = {field.encode_name for field in msgspec.structs.fields(form)}
    return msgspec.convert({name: value for name, value in found.items() if name in names}, form)
