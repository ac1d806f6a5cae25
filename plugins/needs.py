"""What a plugin needs of the machine and the network, tried before it runs: `cordwood check --deep`.

A need is tried as the plugin itself would do it, as far as that leaves no trace: what starts is what was checked. Ports
stay held until all of a file are tried, so that two sources which want the same one are found.
"""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import anyio.to_thread
from anyio.streams.tls import TLSStream
from pydantic import SecretStr

from .errors import FatalError, RetryableError
from .outbound import permitted

Trial: TypeAlias = Callable[[AsyncExitStack], Awaitable[str]]
"""Tries it; what it holds meanwhile goes into the stack. Answers a warning, or nothing where all is well.

:raises DeliveryError: it is not there; the message says how to mend it
:raises OSError: likewise
"""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that must be there. `address`, of a listener, is where it listens: `tcp 0.0.0.0:514`."""

    setting: str
    what: str
    trial: Trial
    address: str = ""


def readable(setting: str, path: Path) -> Need:
    """A file that can be read."""

    def read() -> None:
        with path.open("rb") as file:
            file.read(1)

    async def trial(_: AsyncExitStack) -> str:
        try:
            await anyio.to_thread.run_sync(read)
        except OSError as why:
            raise FatalError(f"{path} cannot be read: {why.strerror or why}; {_mend(why)}") from why
        return ""

    return Need(setting, f"read {path}", trial)


def writable(setting: str, folder: Path) -> Need:
    """A folder in which files can be made, or one that can be made where it is not there yet."""

    def write() -> str:
        there = next(path for path in (folder, *folder.parents) if path.exists() or path == path.parent)
        if not there.is_dir():
            raise NotADirectoryError(20, "it is no folder", str(there))
        with tempfile.TemporaryFile(dir=there):
            pass
        return "" if there == folder else "it is not there yet; it will be made"

    async def trial(_: AsyncExitStack) -> str:
        try:
            return await anyio.to_thread.run_sync(write)
        except OSError as why:
            raise FatalError(f"{folder} takes no file: {why.strerror or why}; {_mend(why)}") from why

    return Need(setting, f"write into {folder}", trial)


def runnable(setting: str, command: str, folder: Path | None = None) -> Need:
    """A program that is there and may be run; it is not run."""

    async def trial(_: AsyncExitStack) -> str:
        if folder is not None and not await anyio.Path(folder).is_dir():
            raise FatalError(f"the folder {folder} is not there; make it, or mend the setting folder")
        relative = os.sep in command and not Path(command).is_absolute() and folder is not None
        if shutil.which(str(folder / command) if relative and folder else command) is None:
            raise FatalError(f"there is no program {command} that may be run; install it, or write its whole path")
        return ""

    return Need(setting, f"find the program {command}", trial)


def reachable(setting: str, host: str, port: int, tls: Callable[[], ssl.SSLContext] | None = None) -> Need:
    """A host whose port takes a connection, and with `tls` a handshake. Nothing is said there."""

    async def trial(_: AsyncExitStack) -> str:
        await _connected([host], host, port, f"{host}:{port}", tls)
        return ""

    return Need(setting, f"reach {host}:{port}", trial)


def url_reachable(setting: str, url: SecretStr | str) -> Need:
    """The host of an address, as `http_send` reaches it; the address stands in no message, for it may be a secret."""
    text = url.get_secret_value() if isinstance(url, SecretStr) else url

    async def trial(_: AsyncExitStack) -> str:
        parts = urlsplit(text)
        host = parts.hostname or ""
        proxy = getproxies().get(parts.scheme) or getproxies().get("all")
        if proxy and not proxy_bypass(host):
            by = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            await _connected([by.hostname or ""], by.hostname or "", by.port or 80, "the proxy", None)
            return "its proxy was reached; whether that reaches the host is not known"
        port = parts.port or (443 if parts.scheme == "https" else 80)
        tls = ssl.create_default_context if parts.scheme == "https" else None
        await _connected(await permitted(host, port), host, port, "the host", tls)
        return ""

    return Need(setting, "reach its host", trial)


async def _connected(
    addresses: list[str], name: str, port: int, shown: str, tls: Callable[[], ssl.SSLContext] | None
) -> None:
    """Connect to the first address that takes it, shake hands, and leave."""
    last: OSError | None = None
    context = await anyio.to_thread.run_sync(tls) if tls else None
    for address in addresses:
        try:
            stream = await anyio.connect_tcp(address, port)
        except OSError as why:
            last = why
            continue
        async with stream:
            if context is not None:
                try:
                    await TLSStream.wrap(stream, hostname=name, ssl_context=context, standard_compatible=False)
                except ssl.SSLCertVerificationError as why:
                    message = f"{shown}: we refuse its certificate: {why.verify_message}"
                    raise FatalError(f"{message}; mend it, or trust its authority") from why
                except (ssl.SSLError, OSError, anyio.BrokenResourceError, anyio.EndOfStream) as why:
                    said = getattr(why, "reason", None) or "it ends the connection"
                    raise FatalError(f"{shown} speaks no TLS ({said}); mend the port or the scheme") from why
            return
    said = f": {last.strerror or last}" if last else ""
    raise RetryableError(f"{shown} cannot be reached{said}; is it up, is the address right, does a firewall stop it?")


def _mend(why: OSError) -> str:
    if isinstance(why, FileNotFoundError):
        return "make it, or mend the path"
    if isinstance(why, PermissionError):
        return "give the user that runs Cordwood the right to"
    return "mend it, or name another"
