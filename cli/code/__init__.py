"""An installation as files: what each kind of thing is in a folder, and how it gets from there to a server and back."""

from __future__ import annotations

from typing import Any, Final

from .dashboards import Dashboards
from .kind import Kind
from .lookups import Lookups
from .patterns import Patterns
from .roles import Roles
from .saved_queries import SavedQueries
from .service_accounts import ServiceAccounts
from .silences import Silences

KINDS: Final[tuple[Kind[Any], ...]] = (
    Lookups(),
    SavedQueries(),
    Patterns(),
    Roles(),
    ServiceAccounts(),
    Dashboards(),
    Silences(),
)
"""In an order in which each may use those before it: they are made from first to last, and deleted backwards."""
