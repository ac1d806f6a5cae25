"""Who may do what: the one table of roles, scopes and permissions.

A route names the permission it needs (`opt={"access": …}`); people have a role, tokens have scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

Permission: TypeAlias = Literal["query", "ingest", "edit", "operate", "admin"]
"""`query` reads; `ingest` sends events; `edit` changes what people make for each other, such as lookup tables;
`operate` handles incidents, tries pipelines and notifiers; `admin` changes accounts and tokens, and deletes events."""
BuiltinRole: TypeAlias = Literal["viewer", "editor", "operator", "admin"]
Role: TypeAlias = str
"""The name of a built-in role, or of one that an administrator of the project made (custom_roles.py)."""
Scope: TypeAlias = Literal["ingest", "query", "admin"]

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

ROLES: Final[Mapping[str, frozenset[Permission]]] = MappingProxyType(
    {
        "viewer": frozenset({"query"}),
        "editor": frozenset({"query", "edit"}),
        "operator": frozenset({"query", "edit", "operate"}),
        "admin": frozenset(PERMISSIONS),
    }
)
SCOPE_PERMISSIONS: Final[Mapping[Scope, frozenset[Permission]]] = MappingProxyType(
    {
        "ingest": frozenset({"ingest"}),
        "query": frozenset({"query"}),
        "admin": frozenset({"edit", "operate", "admin"}),
    }
)


def permissions_of(scopes: Iterable[Scope]) -> frozenset[Permission]:
    """What a token with these scopes may do.

    >>> sorted(permissions_of(["ingest", "query"]))
    ['ingest', 'query']
    """
    return frozenset().union(*(SCOPE_PERMISSIONS[scope] for scope in scopes))
