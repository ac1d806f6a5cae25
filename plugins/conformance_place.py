"""Conformance of places: what was stored is given back whole, absent things are absent, and failures are told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import anyio

from .base import Place, PluginConfig
from .conformance_class import DEADLINE_S, Check, Contract, class_checks, make, require, tests_of
from .errors import FatalError, RejectedError, RetryableError

Settings: TypeAlias = "Mapping[str, Any] | PluginConfig"
_BLOCK = bytes(range(256)) * 4096  # 1 MiB
_KEY = "0d3ce1b2-0000-4000-8000-000000000001/17-a1b2.parquet"


def place_contract(
    cls: type[Place[Any]],
    config: Callable[[Path], Settings],
    broken: Callable[[Path], Settings] | None = None,
) -> Contract:
    """The tests of a place.

    :param config: from an empty folder to settings of an empty place; the same folder means the same place
    :param broken: to settings of a place that cannot be used: nobody listens there, or it refuses
    """

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Place[Any], Place[Any]]]:
        """Two instances, as two processes have them."""
        with TemporaryDirectory() as folder:
            yield make(cls, config(Path(folder))), make(cls, config(Path(folder)))

    async def gives_back() -> None:
        async with opened() as (place, other):
            for key, data in ((_KEY, _BLOCK * 8), ("a/b/c_d-e.f", b""), ("x", b"\0")):
                await place.put(key, data)
                for who in (place, other):
                    got = await who.get(key)
                    require(got == data, f"{len(data)} bytes were stored, others came back")
                    require(type(got) is bytes, f"get returned {type(got).__name__}, not bytes")

    async def absent() -> None:
        async with opened() as (place, other):
            require(await place.get(_KEY) is None, "get of an object that never was must return None")
            await place.put(_KEY, b"data")
            await place.put(f"{_KEY}.more", b"more")
            await other.delete([_KEY, "never/was"])
            require(await place.get(_KEY) is None, "what another process has deleted must be absent")
            require(await place.get(f"{_KEY}.more") == b"more", "delete took an object whose key begins the same")
            await place.delete([])

    async def many() -> None:
        async with opened() as (place, _):
            async with anyio.create_task_group() as tasks:
                for n in range(40):
                    tasks.start_soon(place.put, f"many/{n}", str(n).encode())
            found: dict[int, bytes | None] = {}

            async def get(n: int) -> None:
                found[n] = await place.get(f"many/{n}")

            async with anyio.create_task_group() as tasks:
                for n in range(40):
                    tasks.start_soon(get, n)
            require(all(found[n] == str(n).encode() for n in range(40)), "objects stored at once are mixed up or lost")
            await place.delete([f"many/{n}" for n in range(1000)])
            require(await place.get("many/7") is None, "delete of a thousand keys left some")

    async def cancelled() -> None:
        async with opened() as (place, other):
            for delay in (0.0, 0.001, 0.01):
                with anyio.move_on_after(delay):
                    await place.put(f"cut/{delay}", _BLOCK * 8)
                got = await other.get(f"cut/{delay}")
                require(got in (None, _BLOCK * 8), "an object whose upload was cancelled is there in part")
                await other.put(f"cut/{delay}-again", b"data")

    async def words() -> None:
        async with opened() as (place, _):
            require(place.location.strip() and "\n" not in place.location, "location must say where it is, in a line")
            shown = [value for value in _secrets(place.config) if value and value in place.location]
            require(not shown, "location shows a secret")

    async def fails() -> None:
        assert broken is not None
        with TemporaryDirectory() as folder:
            place = make(cls, broken(Path(folder)))
            attempts: dict[str, Callable[[], Awaitable[object]]] = {
                "put": lambda: place.put(_KEY, b"data"),
                "get": lambda: place.get(_KEY),
                "delete": lambda: place.delete([_KEY]),
            }
            for what, attempt in attempts.items():
                try:
                    with anyio.fail_after(6 * DEADLINE_S):
                        await attempt()
                except (RetryableError, FatalError) as why:
                    require(str(why).strip(), f"{what}: the error says nothing")
                except RejectedError as why:
                    raise AssertionError(f"{what} raised RejectedError: raise RetryableError or FatalError") from why
                else:
                    raise AssertionError(f"{what} on a place that cannot be used must raise, or data is taken for gone")

    checks: dict[str, Check] = {
        "gives back": gives_back,
        "absent": absent,
        "many at once": many,
        "cancelled": cancelled,
        "location": words,
    }
    return tests_of(class_checks(cls, "place") | checks | ({"fails aloud": fails} if broken else {}))


def _secrets(config: PluginConfig) -> list[str]:
    values = [getattr(config, name) for name in type(config).model_fields]
    return [value.get_secret_value() for value in values if hasattr(value, "get_secret_value")]
