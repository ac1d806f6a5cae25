"""What handlers are handed by the application: the running node, and the gate that knows who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from litestar.di import NamedDependency
from litestar.params import SkipValidation

if TYPE_CHECKING:
    from ...core.runtime import Node
    from ..auth.gate import Gate

    NodeDependency: TypeAlias = Node
    GateDependency: TypeAlias = Gate
else:  # Litestar reads the annotation: nothing to validate, nothing of the request
    NodeDependency = NamedDependency[SkipValidation[Any]]
    GateDependency = NamedDependency[SkipValidation[Any]]
