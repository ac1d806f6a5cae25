"""`cordwood tail`: events as they are committed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DataDir

if TYPE_CHECKING:
    import httpx

PATIENCE_S = 60
"""Seconds that a server which went away has to come back."""


class Format(StrEnum):
    """How events are printed."""

    TEXT = "text"
    NDJSON = "ndjson"


def tail(
    text: Annotated[str, typer.Argument(metavar="QUERY", help="A search; without one, all events.")] = "",
    output: Annotated[Format, typer.Option("--format", help="How events are printed.")] = Format.TEXT,
    data_dir: DataDir = None,
) -> None:
    """Follow new events until Ctrl-C. After a broken connection it goes on where it was and misses nothing."""
    import anyio

    with contextlib.suppress(KeyboardInterrupt):
        anyio.run(_run, text, output, data_dir)


async def _run(text: str, output: Format, data_dir: Any) -> None:
    from .client import connected
    from .output import EventPrinter

    printer = EventPrinter()
    async with connected(data_dir) as client:
        async for event in followed(client, text):
            if output is Format.NDJSON:
                print(json.dumps(event, ensure_ascii=False), flush=True)
            else:
                printer.show(event)


async def followed(client: httpx.AsyncClient, text: str) -> AsyncIterator[dict[str, Any]]:
    """Events as they come; connects again where the connection breaks, with the id of the last event.

    :raises UnreachableError: the server is not there, or has been away for `PATIENCE_S`
    :raises QueryError: the search cannot be followed
    """
    import anyio
    import httpx

    from ..client import RefusedError
    from ..client.wire import SILENCE_S, Messages
    from .client import checked, told
    from .exits import UnreachableError
    from .output import say

    messages, connected, away = Messages(), False, 0.0
    while True:
        try:
            asked = client.build_request(
                "GET",
                "/api/v1/tail",
                params={"query": text},
                headers=messages.headers(),
                timeout=httpx.Timeout(10, read=SILENCE_S),
            )
            async with contextlib.aclosing(await client.send(asked, stream=True)) as response:
                await checked(response, text)
                connected, away = True, 0.0
                async for line in response.aiter_lines():
                    if event := messages.event(line):
                        yield event
        except RefusedError as why:
            raise told({"status": why.status, "detail": why.detail, "errors": why.errors}, text) from None
        except (httpx.TransportError, UnreachableError):
            if not connected or away >= PATIENCE_S:
                raise
        if not away:
            say("note: the connection broke; connecting again")
        messages.restart()
        away += 1
        await anyio.sleep(1)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood tail 'severity>=error -service:checkout'")(tail)
