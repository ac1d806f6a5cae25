"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from ...core.query.request import Rights
from .roles import Permission, Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, a program or this machine, in one project.

    `email` is None for a program and for this machine, `project_id` None for this machine: it is in the project of the
    node. `must_change_password`: nothing but that is allowed yet.
    """

    name: str
    permissions: frozenset[Permission]
    project_id: int | None = None
    project: str | None = None
    email: str | None = None
    role: Role | None = None
    must_change_password: bool = False
    rights: Rights | None = None
    """What it sees of the events, where its role does not see all."""
    account_id: int | None = None
    """Of the person, or of the service account."""
    origins: tuple[str, ...] = ()
    """Of a token for browsers: the pages whose scripts may send with it."""
    has_password: bool = False
    """Of a person: whether they can sign in with one."""

    @property
    def key(self) -> str:
        """Equal for all that one person, program or machine asks."""
        return f"{self.project_id}/{self.account_id or self.name}"
