"""Conformance of outputs: what is written is held on return, again changes nothing for the worse, failures are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.abc

from .base import Lot, Output
from .batch import Batch
from .conformance_class import DEADLINE_S, Check, Contract, class_checks, make, require, tests_of
from .errors import DeliveryError

_RECORDS: list[dict[str, Any]] = [
    {"timestamp": "2026-01-31T12:00:00.123456789Z", "message": "card declined \U0001f525", "severity": "ERROR",
     "service": "shop", "http.status": 402, "took": 0.25, "ok": False, "tags": ["a", 1, None]},
    {"timestamp": "2026-01-31T12:00:01Z", "message": "a\nb \x00 \x1b[0m \u202e <b>&\"'", "user": "42"},
    {"timestamp": "2026-01-31T12:00:02Z", "message": "", "user": 42, "deep": "[" * 1500 + "]" * 1500},
    {"timestamp": "2026-01-31T12:00:03Z", "message": "x" * 100_000},
]  # fmt: skip


@dataclass(frozen=True)
class OutputPeer:
    """The other side: `settings` lead to it, `messages` are those of the events that it holds."""

    settings: Mapping[str, Any]
    messages: Callable[[], Awaitable[list[str]]]


def lot_of(records: list[dict[str, Any]], number: int = 1) -> Lot:
    """A lot of these events, the one of this number."""
    arrived = 1_769_860_800_000_000_000 + number
    batch = Batch.from_records(records, observed=arrived).with_default(source="contract")
    return Lot(f"20260131T120000{number:09}Z-{number}-{number}-contract", batch, arrived)


def output_contract(
    cls: type[Output[Any]],
    peer: Callable[[], AbstractAsyncContextManager[OutputPeer]],
    unusable: Mapping[str, Any],
    silent: Callable[[str], Mapping[str, Any]] | None = None,
) -> Contract:
    """The tests of an output.

    :param peer: makes an asynchronous context manager of the other side, empty at first
    :param unusable: settings that lead to one that takes nothing
    :param silent: from the address of a local server that never answers to settings; None: it asks no server
    """

    async def write(output: Output[Any], lot: Lot) -> None:
        with anyio.fail_after(DEADLINE_S):
            await output.write(lot)

    async def holds() -> None:
        async with peer() as other:
            output = make(cls, other.settings)
            sent = Counter[str]()
            for number, records in enumerate((_RECORDS, [{"message": f"{n}"} for n in range(1000)]), 1):
                await write(output, lot_of(records, number))
                sent.update(record["message"] for record in records)
                got = Counter(await other.messages())
                require(got == sent, f"of {sent.total()} events that were written the other side holds {got.total()}")

    async def again() -> None:
        async with peer() as other:
            lot = lot_of(_RECORDS)
            await write(make(cls, other.settings), lot)
            await write(make(cls, other.settings), lot)
            got = Counter(await other.messages())
            lost = {record["message"][:20] for record in _RECORDS} - {message[:20] for message in got}
            require(not lost, f"a lot that came twice lost events: {lost}")

    async def fails() -> None:
        output = make(cls, unusable)
        try:
            with anyio.fail_after(6 * DEADLINE_S):
                await output.write(lot_of(_RECORDS))
        except DeliveryError as why:
            require(str(why).strip(), "the error says nothing")
            return
        raise AssertionError("an output that cannot send must raise: what it returns from is taken for sent")

    async def cancelled() -> None:
        assert silent is not None
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610
        async with listener:
            began = anyio.current_time()
            with anyio.move_on_after(0.3):
                await make(cls, silent(f"http://127.0.0.1:{port}")).write(lot_of(_RECORDS))
                raise AssertionError("write returned although the other side did not answer")
            require(anyio.current_time() - began < DEADLINE_S / 2, "write did not stop when it was cancelled")

    checks: dict[str, Check] = {"holds": holds, "again": again, "fails aloud": fails}
    return tests_of(class_checks(cls, "output") | checks | ({"cancellation": cancelled} if silent else {}))
