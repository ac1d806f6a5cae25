"""The web application: API, ingestion, UI, and who may use them."""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.di import Provide

from .api import HANDLERS
from .openapi import openapi_config
from .problems import problem_response


def create_api(node: Any) -> Litestar:
    """The API of a node; without one, only its OpenAPI document is of use."""

    async def provide_node() -> Any:
        return node

    return Litestar(
        HANDLERS,
        dependencies={"node": Provide(provide_node)},
        exception_handlers={Exception: problem_response},
        openapi_config=openapi_config(),
        request_max_body_size=1024 * 1024,
        logging_config=None,
    )
