"""What a source that listens needs: its addresses, and the files of its certificate."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import anyio.to_thread

from ...plugins import Need
from .address import host_port, no_listener
from .streams import TlsConfig, TlsFiles, context_of


def tcp_free(setting: str, address: str) -> Need:
    """An address of TCP that can be listened at."""

    async def trial(held: AsyncExitStack) -> str:
        host, port = host_port(address)
        try:
            await held.enter_async_context(await anyio.create_tcp_listener(local_host=host, local_port=port))
        except OSError as why:
            raise no_listener(f"tcp {address}", why) from why
        return ""

    return Need(setting, f"listen at tcp {address}", trial, f"tcp {address}")


def socket_free(setting: str, address: str, opener: Callable[[str], socket.socket]) -> Need:
    """An address of `udp`, or the path of a `unix` socket, where `opener` can bind."""

    async def trial(held: AsyncExitStack) -> str:
        opened = opener(address)
        held.callback(opened.close)
        if opened.family == socket.AF_UNIX:
            held.callback(Path(address).unlink, missing_ok=True)
        return ""

    return Need(setting, f"listen at {setting} {address}", trial, f"{setting} {address}")


def certificate(setting: str, tls: TlsFiles) -> Need:
    """A certificate that can be used, with its key and the clients' authority."""

    async def trial(_: AsyncExitStack) -> str:
        await anyio.to_thread.run_sync(context_of, tls)
        return ""

    return Need(setting, f"use the certificate {tls.cert_file} with {tls.key_file}", trial)


def tcp_and_tls(tcp: str | None, tls: TlsConfig | None) -> list[Need]:
    """Those of a source with `streams`."""
    secured = [certificate("tls", tls), tcp_free("tls.listen", tls.listen)] if tls else []
    return [*([tcp_free("tcp", tcp)] if tcp else []), *secured]
