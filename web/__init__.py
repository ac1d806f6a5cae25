"""Floor 4: HTTP. The API, the shippers' endpoints, the UI's files, and who may use them."""

from .app import create_app

__all__ = ["create_app"]
