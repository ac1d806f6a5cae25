"""What handlers are handed: the running node, the gate that knows who asks, and whose data they see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from ..auth.principal import Principal

if TYPE_CHECKING:
    from ...core.runtime import Node
    from ..auth.gate import Gate
    from ..sharing import Sharing

    NodeDependency: TypeAlias = Node
    GateDependency: TypeAlias = Gate
    ProjectDependency: TypeAlias = int
else:  # Litestar reads the annotation: nothing to validate, nothing of the request
    NodeDependency = NamedDependency[SkipValidation[Any]]
    GateDependency = NamedDependency[SkipValidation[Any]]
    ProjectDependency = NamedDependency[SkipValidation[Any]]


def shared(request: Request[Any, Any, Any]) -> Sharing:
    """The small reads that are under way."""
    sharing: Sharing = request.app.state.sharing
    return sharing


def who_asks(request: Request[Any, Any, Any]) -> Principal:
    """Who the gate let in."""
    principal: Principal = request.scope["user"]
    return principal
