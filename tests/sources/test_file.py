"""The file source on real files: what is followed, read once, cut, decoded, and known again."""

import gzip
import os
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pydantic
import pytest
import zstandard
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.file import File, FileConfig, reader, track
from cordwood.sources.file.follow import CUT

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "GRACE_S", 0.15)
    monkeypatch.setattr(track, "HOLD_S", 0.15)


@asynccontextmanager
async def following(
    store: MemoryStore, *include: Path | str, trouble: float = 0.0, **settings: Any
) -> AsyncIterator[MemoryOutlet]:
    """A running source over these globs; leaving kills it."""
    outlet = MemoryOutlet(store, trouble=trouble, chance=random.Random(1))
    config = FileConfig(
        include=tuple(map(str, include)), poll="5ms", host="box", **({"partial_after": "50ms"} | settings)
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(File(config).run, outlet)
        yield outlet
        tasks.cancel_scope.cancel()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    with anyio.move_on_after(seconds):
        while not condition():
            await anyio.sleep(0.005)


async def arrived(store: MemoryStore, expected: list[str], *, sort: bool = False) -> None:
    """Exactly these lines arrive, and no more for a while."""
    await until(lambda: len(store.lines) >= len(expected))
    await anyio.sleep(0.05)
    assert (sorted(store.lines) if sort else store.lines) == (sorted(expected) if sort else expected)


def numbered(*span: int, width: int = 60) -> list[str]:
    return [f"{i:06d} {'x' * width}" for i in range(*span)]


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def append(path: Path, content: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(content.encode() if isinstance(content, str) else content)


async def test_lines_and_their_columns(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_bytes("eins\r\n\nzwei ä\n".encode())
    async with following(store, log):
        await arrived(store, ["eins", "zwei ä"])
        append(log, "drei\n")
        await arrived(store, ["eins", "zwei ä", "drei"])
    frame = store.batches[0].frame
    assert frame["log.file.path"].to_list() == [str(log)] * 2
    assert frame["host"].to_list() == ["box"] * 2
    (key,) = store.positions
    assert key.startswith("file/files/box/")
    assert store.positions[key]["offset"] == log.stat().st_size  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("content", "settings", "expected"),
    [
        pytest.param(b"\xef\xbb\xbfa\n", {}, ["a"], id="bom"),
        pytest.param(b"a\xff\nb\x00c\n", {}, ["a\\xff", "b\0c"], id="bytes"),
        pytest.param("grün\n".encode("latin-1"), {"encoding": "latin-1"}, ["grün"], id="latin-1"),
        pytest.param(b"\0" * 5000 + b"after the hole\n", {}, ["after the hole"], id="hole"),
        pytest.param(b"last without end", {}, ["last without end"], id="partial"),
        pytest.param(b"\n\r\n\n", {}, [], id="blank"),
        pytest.param(b"", {}, [], id="empty"),
        pytest.param(b"\x1f", {}, ["\x1f"], id="begins like gzip"),
    ],
)
async def test_contents(tmp_path: Path, content: bytes, settings: dict[str, str], expected: list[str]) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_bytes(content)
    async with following(store, log, **settings):
        await arrived(store, expected)


async def test_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_text("one\ntw")
    async with following(store, log, partial_after="1h"):
        await arrived(store, ["one"])
        append(log, "o\n")
        await arrived(store, ["one", "two"])


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000])
async def test_long_lines_are_cut_and_marked(tmp_path: Path, size: int) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    line = "ä" * (size // 2) + "x" * (size % 2)
    log.write_text(f"before\n{line}\nafter\n")
    async with following(store, log):
        await until(lambda: "after" in store.lines)
    assert "".join(store.lines) == f"before{line}after"
    marks = [mark for batch in store.batches for mark in batch.frame["parse_error"].to_list()]
    assert sum(mark == CUT for mark in marks) == max(0, (size - 1) // (1 << 20))
    assert max(len(piece.encode()) for piece in store.lines) <= 1 << 20


async def test_rotation_by_rename(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "app.log"
    lines = numbered(300)
    log.write_text(text(lines[:100]))
    async with following(store, log):
        await arrived(store, lines[:100])
        log.rename(tmp_path / "app.log.1")  # outside the glob, and still written to
        append(tmp_path / "app.log.1", text(lines[100:200]))
        log.write_text(text(lines[200:]))
        await arrived(store, lines, sort=True)


async def test_rotation_while_stopped(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "app.log"
    lines = numbered(300)
    log.write_text(text(lines[:100]))
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines[:100])
    append(log, text(lines[100:200]))
    log.rename(tmp_path / "app.log.1")
    log.write_text(text(lines[200:]))
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines, sort=True)


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
async def test_rotation_by_copy_and_truncation(tmp_path: Path, stopped: bool) -> None:
    store, log = MemoryStore(), tmp_path / "app.log"
    lines = numbered(300)

    def rotate() -> None:
        append(log, text(lines[100:200]))
        shutil.copy(log, tmp_path / "app.log.1")
        os.truncate(log, 0)
        append(log, text(lines[200:]))

    log.write_text(text(lines[:100]))
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines[:100])
        if not stopped:
            rotate()
            await arrived(store, lines, sort=True)
    if stopped:
        rotate()
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines, sort=True)


async def test_truncation(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "app.log"
    log.write_text("one\ntwo\n")
    async with following(store, log):
        await arrived(store, ["one", "two"])
        log.write_text("six\n")
        await arrived(store, ["one", "two", "six"])
        log.write_text("a longer one than what was there before\n")
        await arrived(store, ["one", "two", "six", "a longer one than what was there before"])


def pack_gzip(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed


def pack_zstd(path: Path) -> Path:
    packed = path.with_name(path.name + ".zst")
    packed.write_bytes(zstandard.compress(path.read_bytes()))
    path.unlink()
    return packed


@pytest.mark.parametrize("pack", [pack_gzip, pack_zstd])
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
@pytest.mark.parametrize("count", [3, 500])
async def test_compression_after_following(
    tmp_path: Path, pack: Callable[[Path], Path], stopped: bool, count: int
) -> None:
    store, log = MemoryStore(), tmp_path / "app.log"
    lines = numbered(3 * count)

    def rotate() -> None:
        append(log, text(lines[count : 2 * count]))
        log.rename(tmp_path / "app.log.1")
        pack(tmp_path / "app.log.1")
        log.write_text(text(lines[2 * count :]))

    log.write_text(text(lines[:count]))
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines[:count])
        if not stopped:
            rotate()
            await arrived(store, lines, sort=True)
    if stopped:
        rotate()
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines, sort=True)
        await anyio.sleep(0.3)
        assert sorted(store.lines) == lines
    async with following(store, tmp_path / "app.log*"):
        await anyio.sleep(0.1)
        assert sorted(store.lines) == lines


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(lambda a, b: gzip.compress(a) + gzip.compress(b), id="gzip members"),
        pytest.param(lambda a, b: gzip.compress(a + b) + b"\0" * 512, id="gzip padded"),
        pytest.param(lambda a, b: gzip.compress(a + b) + b"garbage", id="gzip with garbage"),
        pytest.param(lambda a, b: zstandard.compress(a) + zstandard.compress(b), id="zstd frames"),
        pytest.param(
            lambda a, b: (
                b"\x50\x2a\x4d\x18\4\0\0\0abcd"
                + zstandard.compress(a)
                + b"\x50\x2a\x4d\x18\0\0\0\0"
                + zstandard.compress(b)
            ),
            id="zstd skippable",
        ),
    ],
)
async def test_compressed_files(tmp_path: Path, packed: Callable[[bytes, bytes], bytes]) -> None:
    store = MemoryStore()
    lines = numbered(40_000, width=100)
    content = text(lines)[:-1].encode()
    (tmp_path / "old.gz").write_bytes(packed(content[:1_000_000], content[1_000_000:]))
    async with following(store, tmp_path / "*.gz"):
        await arrived(store, lines)
    async with following(store, tmp_path / "*.gz"):
        await arrived(store, lines)


async def test_compressed_file_being_written_and_damaged_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, lines = MemoryStore(), numbered(30_000)
    packed = gzip.compress(text(lines).encode(), 1)
    growing, damaged = tmp_path / "a.gz", tmp_path / "b.gz"
    growing.write_bytes(packed[: len(packed) // 2])
    async with following(store, tmp_path / "*.gz", partial_after="1h"):
        await anyio.sleep(0.1)
        assert store.lines == lines[: len(store.lines)]
        append(growing, packed[len(packed) // 2 :])
        await arrived(store, lines)
        damaged.write_bytes(b"".join([packed[:20_000], b"\xff" * 100, packed[20_100:]]))
        await until(lambda: "damaged after" in caplog.text and len(store.lines) > len(lines))
    assert caplog.text.count("damaged after") == 1
    assert store.lines[len(lines) :]


async def test_resume_in_compressed_file(tmp_path: Path) -> None:
    store, lines = MemoryStore(), numbered(200_000, width=50)
    (tmp_path / "a.gz").write_bytes(gzip.compress(text(lines).encode(), 1))
    while len(store.lines) < len(lines):
        before = len(store.lines)
        async with following(store, tmp_path / "*.gz"):
            await until(lambda before=before: len(store.lines) > before)  # type: ignore[misc]
    assert len(store.lines) == len(lines)
    assert store.lines == lines


async def test_start_at_the_end(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_text("old\nolder\nhalf")
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(b"packed\n"))
    async with following(store, tmp_path / "*.log*", start="end", partial_after="1h"):
        await until(lambda: len(store.positions) == 2)
        append(log, " line\nnew\n")
        await arrived(store, ["half line", "new"])
        (tmp_path / "c.log").write_text("born later\n")
        await arrived(store, ["half line", "new", "born later"])
    append(log, "while stopped\n")
    (tmp_path / "d.log").write_text("also\n")
    async with following(store, tmp_path / "*.log*", start="end"):
        await arrived(store, ["half line", "new", "born later", "while stopped", "also"], sort=True)


async def test_equal_files_are_two_files(tmp_path: Path) -> None:
    store, lines = MemoryStore(), numbered(100)
    for name in ("a.log", "b.log", "c.1.log", "c.2.log"):
        (tmp_path / name).write_text(text(lines))
    async with following(store, tmp_path / "*.log"):
        await arrived(store, lines * 4, sort=True)


async def test_links_and_names_count_once(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_text("one\n")
    (tmp_path / "b.log").symlink_to(log)
    os.link(log, tmp_path / "c.log")
    (tmp_path / "d.log").symlink_to(tmp_path / "nowhere")
    (tmp_path / "e.log").mkdir()
    async with following(store, tmp_path / "*.log"):
        await arrived(store, ["one"])


async def test_exclude_and_folders(tmp_path: Path) -> None:
    store = MemoryStore()
    for name in ("a.log", "x/b.log", "x/y/c.log", "x/c.tmp.log", "skip/d.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    exclude = ("*.tmp.log", f"{tmp_path}/skip/**")
    async with following(store, tmp_path / "**" / "*.log", exclude=exclude):
        await arrived(store, ["a.log", "x/b.log", "x/y/c.log"], sort=True)


async def test_files_that_appear_and_vanish(tmp_path: Path) -> None:
    store = MemoryStore()
    expected: list[str] = []
    async with following(store, tmp_path / "*.log"):
        for i in range(20):
            path = tmp_path / f"{i}.log"
            path.write_text(f"{i} one\n{i} two")
            expected.extend([f"{i} one", f"{i} two"])
            await until(lambda: len(store.lines) == len(expected) - 1)  # the last line waits for its end
            path.unlink()
            await until(lambda: len(store.lines) == len(expected))
        await arrived(store, expected, sort=True)


async def test_descriptors_stay_bounded(tmp_path: Path) -> None:
    store = MemoryStore()
    for i in range(300):
        (tmp_path / f"{i}.log").write_text(f"first {i}\n")
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    async with following(store, tmp_path / "*.log", max_open=16):
        await arrived(store, [f"first {i}" for i in range(300)], sort=True)
        if before:
            assert len(list(descriptors.iterdir())) < before + 40
        for i in range(300):
            append(tmp_path / f"{i}.log", f"second {i}\n")
        await arrived(store, [f"{n} {i}" for n in ("first", "second") for i in range(300)], sort=True)


async def test_trouble_of_the_store(tmp_path: Path) -> None:
    store, log, lines = MemoryStore(), tmp_path / "a.log", numbered(300_000, width=90)
    log.write_text(text(lines))
    async with following(store, log, trouble=0.3):
        await until(lambda: len(store.lines) >= len(lines), 20)
    assert store.lines == lines


async def test_refused_batch_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, log, lines = MemoryStore(), tmp_path / "a.log", numbered(60_000, width=90)
    store.rejected = [lines[20_000]]
    log.write_text(text(lines))
    async with following(store, log):
        await until(lambda: lines[-1] in store.lines[-1:])
    assert len(lines) - 11_000 < len(store.lines) < len(lines)
    assert len(set(store.lines)) == len(store.lines)
    assert "will never be stored: poison" in caplog.text


async def test_somebody_else_moved_the_position(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_text("one\n")
    async with following(store, log), following(store, log):
        for line in ("two", "three", "four"):
            append(log, f"{line}\n")
            await anyio.sleep(0.02)
        await arrived(store, ["one", "two", "three", "four"])


async def test_renumbered_device(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_text("one\n")
    async with following(store, log):
        await arrived(store, ["one"])
    ((key, value),) = store.positions.items()
    store.positions = {key.replace(f"{log.stat().st_dev}:", "99999:"): value}
    append(log, "two\n")
    async with following(store, log):
        await arrived(store, ["one", "two"])


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"include": []}, "at least 1"), ({"encoding": "utf-16"}, "line feed"), ({"encoding": "klingon"}, "no encoding"),
     ({"poll": "soon"}, "no duration"), ({"start": "middle"}, "beginning")],
)  # fmt: skip
def test_wrong_settings(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=reason):
        FileConfig(**({"include": ["x"]} | settings))


@pytest.mark.parametrize("size", [20, 5_000])
async def test_first_seen_while_being_compressed(tmp_path: Path, size: int) -> None:
    """Original and compressed file are both there, and neither was seen before."""
    store, lines = MemoryStore(), numbered(size)
    log = tmp_path / "app.log.1"
    log.write_text(text(lines))
    packed = gzip.compress(log.read_bytes())
    (tmp_path / "app.log.2.gz").write_bytes(packed[: len(packed) // 2])
    async with following(store, tmp_path / "*.gz", tmp_path / "app.log*"):
        await anyio.sleep(0.03)
        (tmp_path / "app.log.2.gz").write_bytes(packed)
        log.unlink()
        await arrived(store, lines)
        await anyio.sleep(0.4)
        assert store.lines == lines


async def test_first_seen_while_being_copied(tmp_path: Path) -> None:
    store, lines = MemoryStore(), numbered(500)
    log = tmp_path / "app.log"
    log.write_text(text(lines))
    shutil.copy(log, tmp_path / "app.log.1")
    async with following(store, tmp_path / "app.log*"):
        await arrived(store, lines)
        os.truncate(log, 0)
        append(log, "new\n")
        await arrived(store, [*lines, "new"])
        await anyio.sleep(0.3)
        assert store.lines == [*lines, "new"]


async def test_a_file_that_comes_back_by_rename_is_not_read_twice(tmp_path: Path) -> None:
    store, log, away = MemoryStore(), tmp_path / "a.log", tmp_path / "a.away"
    log.write_text("one\n")
    async with following(store, log, forget_after="1h"):
        await arrived(store, ["one"])
        log.rename(away)
        await anyio.sleep(0.3)  # longer than it is read on
    async with following(store, log, forget_after="1h"):
        append(away, "two\n")
        away.rename(log)
        await arrived(store, ["one", "two"])


async def test_what_is_gone_for_long_is_forgotten_and_what_is_there_is_not(tmp_path: Path) -> None:
    store, log, other = MemoryStore(), tmp_path / "a.log", tmp_path / "b.log"
    log.write_text("a\n")
    other.write_text("b\n")
    globs = tmp_path / "*.log"
    async with following(store, globs, forget_after="1h"):
        await arrived(store, ["a", "b"])
    (kept,) = (key for key, value in store.positions.items() if value["path"] == str(log))  # type: ignore[index,call-overload]
    other.unlink()
    async with following(store, globs, forget_after="100ms"):
        await until(lambda: len(store.positions) == 1)
        since = store.moved[kept]
        await until(lambda: store.moved[kept] > since + 0.2)  # quiet for twice as long, and seen again and again
    assert store.positions.keys() == {kept}
    other.write_text("b\n")
    async with following(store, globs, forget_after="100ms"):
        await arrived(store, ["a", "b", "b"])
        append(log, "more\n")
        await arrived(store, ["a", "b", "b", "more"])


async def test_null_forgets_nothing(tmp_path: Path) -> None:
    store, log = MemoryStore(), tmp_path / "a.log"
    log.write_text("a\n")
    async with following(store, log, forget_after=None) as outlet:
        await arrived(store, ["a"])
        log.unlink()
        await until(lambda: outlet.store.moved.keys() > outlet.store.positions.keys(), 0.5)
    assert store.moved.keys() == store.positions.keys()
