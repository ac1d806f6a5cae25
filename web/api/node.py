"""What handlers work on: the running node, handed in by the application."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from litestar.params import Dependency

NodeDependency: TypeAlias = Annotated[Any, Dependency(skip_validation=True)]
