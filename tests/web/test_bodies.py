"""Bodies within bounds: encodings, what is cut off or a bomb, and memory over all of them."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
import zstandard
from cordwood.web.bodies import MIB, STEP, Bounds, Budget, ClientGoneError, Lease, decompress, read_body
from cordwood.web.problems import ProblemException
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio
LINES = b'{"message":"hello"}\n' * 300_000  # 6 MB: more than one step


def bare_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


def streamed_zstd(data: bytes) -> bytes:
    """Without the content's size in the frame, as clients that stream send it."""
    squeeze = zstandard.ZstdCompressor().compressobj()
    return squeeze.compress(data) + squeeze.flush()


WAYS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip by its old name": ("X-GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", bare_deflate),
    "zstd": ("zstd", zstandard.compress),
    "zstd streamed": (" zstd ", streamed_zstd),
    "identity": ("identity", bytes),
    "nothing said": ("", bytes),
}


async def opened(body: bytes, encoding: str, bounds: Bounds | None = None) -> bytes:
    with Budget().lease() as lease:
        return await decompress(body, encoding, bounds or Bounds(), lease)


def receiver(chunks: Iterable[bytes | None]) -> Callable[[], Any]:
    """An ASGI `receive` that gives these chunks; None: the client goes away."""

    async def messages() -> AsyncIterator[dict[str, Any]]:
        for chunk in chunks:
            if chunk is None:
                yield {"type": "http.disconnect"}
            else:
                yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}

    stream = messages()
    return lambda: anext(stream)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("data", [LINES, b"x", b""], ids=["large", "one byte", "empty"])
async def test_comes_out_as_it_was(way: str, data: bytes) -> None:
    encoding, squeeze = WAYS[way]
    assert await opened(squeeze(data), encoding) == data


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
async def test_several_members_are_one_body(name: str) -> None:
    squeeze = WAYS[name][1]
    assert await opened(squeeze(b"one\n") + squeeze(LINES), name) == b"one\n" + LINES


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("kept", [0, 1, 5, 11, 0.5, -1])
async def test_what_was_cut_off_is_refused(name: str, kept: float) -> None:
    body = WAYS[name][1](LINES)
    with pytest.raises(ProblemException) as refused:
        await opened(body[: int(len(body) * kept) if kept == 0.5 else int(kept)], name)
    assert refused.value.status == 400
    assert name in refused.value.detail


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("body", [b"no such thing", b"\0" * 100, b"\xff" * 100_000])
async def test_what_is_no_such_thing_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(ProblemException) as refused:
        await opened(body, name)
    assert refused.value.status == 400


async def test_zeros_after_gzip_are_padding_and_anything_else_is_not() -> None:
    assert await opened(gzip.compress(b"x") + b"\0" * 100, "gzip") == b"x"
    with pytest.raises(ProblemException):
        await opened(gzip.compress(b"x") + b"more", "gzip")


@pytest.mark.parametrize("encoding", ["br", "bzip2", "gzip, zstd", "compress", "\u00fc"])
async def test_unknown_encodings_are_refused_naming_the_known(encoding: str) -> None:
    with pytest.raises(ProblemException) as refused:
        await opened(bz2.compress(b"x"), encoding)
    assert refused.value.status == 415
    assert refused.value.headers["Accept-Encoding"] == "gzip, deflate, zstd"


@pytest.mark.parametrize("way", ["gzip", "deflate", "bare deflate", "zstd", "zstd streamed"])
async def test_a_bomb_stops_at_the_bound(way: str) -> None:
    encoding, squeeze = WAYS[way]
    bomb = squeeze(bytes(256 * MIB))
    assert len(bomb) < MIB
    tracemalloc.start()
    try:
        with pytest.raises(ProblemException) as refused:
            await opened(bomb, encoding, Bounds(decompressed=16 * MIB))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413
    assert "16 MiB" in refused.value.detail
    assert peak < 16 * MIB + 4 * STEP


@given(data=st.binary(max_size=2000), bound=st.integers(0, 2000), name=st.sampled_from(["gzip", "deflate", "zstd"]))
def test_the_bound_is_exact(data: bytes, bound: int, name: str) -> None:
    async def check() -> None:
        bounds = Bounds(decompressed=bound)
        if len(data) <= bound:
            assert await opened(WAYS[name][1](data), name, bounds) == data
        else:
            with pytest.raises(ProblemException):
                await opened(WAYS[name][1](data), name, bounds)

    with ThreadPoolExecutor(1) as thread:  # hypothesis calls plain functions, and this thread may have a loop already
        thread.submit(anyio.run, check).result()


@pytest.mark.parametrize("declared", [None, 9])
async def test_a_body_is_read_whole(declared: int | None) -> None:
    with Budget().lease() as lease:
        assert await read_body(receiver([b"one", b"", b"two", b"tri"]), declared, Bounds(), lease) == b"onetwotri"
        assert lease.taken >= 9


@pytest.mark.parametrize(
    ("declared", "chunks"),
    [(101, []), (None, [bytes(60)] * 2), (10, [bytes(60)] * 2)],
    ids=["said", "chunked", "more than said"],
)
async def test_too_large_is_refused_before_it_is_read(declared: int | None, chunks: list[bytes]) -> None:
    with Budget().lease() as lease, pytest.raises(ProblemException) as refused:
        await read_body(receiver(chunks), declared, Bounds(compressed=100), lease)
    assert refused.value.status == 413


async def test_a_client_that_goes_away_ends_the_reading() -> None:
    with Budget().lease() as lease, pytest.raises(ClientGoneError):
        await read_body(receiver([b"half", None]), 100, Bounds(), lease)


async def test_all_bodies_together_are_bounded_and_the_next_is_told_to_come_again() -> None:
    budget = Budget(limit=100, wait_s=0.05)
    with budget.lease() as first:
        await first.grow(80)
        with budget.lease() as second, pytest.raises(ProblemException) as refused:
            await second.grow(30)
        assert refused.value.status == 429
        assert refused.value.after
        with budget.lease() as third:
            await third.grow(20)
    assert budget.used == 0


async def test_one_body_alone_has_room_however_large() -> None:
    budget = Budget(limit=100, wait_s=0.01)
    with budget.lease() as lease:
        await lease.grow(1000)
    assert budget.used == 0


async def test_who_waits_goes_on_when_room_is_given_back() -> None:
    budget = Budget(limit=100, wait_s=5)
    order: list[str] = []

    async def hold(lease: Lease) -> None:
        await anyio.sleep(0.05)
        order.append("given back")
        lease.release()

    with budget.lease() as first, budget.lease() as second:
        await first.grow(100)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold, first)
            await second.grow(50)
            order.append("taken")
    assert order == ["given back", "taken"]
    assert budget.used == 0


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_small_packed_bodies_hold_no_more_than_they_have(declared: bool) -> None:
    data = b'{"short_message": "disk full"}'
    packed, budget = gzip.compress(data), Budget(limit=2 * STEP, wait_s=0)
    with contextlib.ExitStack() as held:
        for _ in range(200):  # all at once, as while a commit takes long
            lease = held.enter_context(budget.lease())
            body = await read_body(receiver([packed]), len(packed) if declared else None, Bounds(), lease)
            assert await decompress(body, "gzip", Bounds(), lease) == data
        assert budget.used == 200 * (len(packed) + len(data))
    assert budget.used == 0
