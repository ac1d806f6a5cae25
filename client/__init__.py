"""A typed client of a Cordwood server: query, follow, send. `Client` waits, `AsyncClient` is for asyncio and trio."""

from .answer import Answer, Column
from .asynchronous import AsyncClient
from .errors import CordwoodError, RefusedError, UnreachableError
from .synchronous import Client
from .wire import SILENCE_S

__all__ = [
    "SILENCE_S",
    "Answer",
    "AsyncClient",
    "Client",
    "Column",
    "CordwoodError",
    "RefusedError",
    "UnreachableError",
]
