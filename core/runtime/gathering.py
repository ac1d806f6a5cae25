"""What a pipeline's first step holds of events whose last parts are still to come; see `plugins.Gatherer`.

It is committed with what came, as a position beside the source's own, and each commit says what it was before: so a
part is in the store or held, once, whatever is killed. Batches follow each other: what the next one becomes depends on
what this one left. Where one is not committed, all that follow it are refused too, and what is held is read again.
"""

from __future__ import annotations

import logging
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import anyio
import msgspec

from ...config import Pipeline
from ...plugins import Batch, Checkpoint, Gathered, Held, Json, Registry, RetryableError, concat
from ..storage.commit import GATHERED
from ..storage.database import DATABASE_ERRORS, trouble
from ..storage.dead_letters import packed, unpacked
from .admission import Admission
from .pipeline import RunningPipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..storage.store import Store
    from .outlet import StoreOutlet
    from .supervisor import RunningSource

LEFT_SECONDS: Final = 60.0
"""What somebody holds without a word for so long beyond the step's timeout is left over: its node is gone."""
_LOOK_SECONDS: Final = 20.0  # between two looks for what is left over
_LEFT = """
select source, key, value from checkpoint
where starts_with(source, $1) and value->>'held' <> '' and updated_at < now() - $2::float8 * interval '1 second'
"""
_FORGET = """
delete from checkpoint where starts_with(source, $1) and value->>'held' = '' and key <> all($2::text[])
    and updated_at < now() - interval '1 day'
"""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[bytes], list[int], list[int]]).decode
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Turn:
    """One batch's turn: what is held before it, and after it."""

    gathering: Gathering
    held: Held
    previous: Json
    last: bool = False
    """Nothing more will come."""
    value: Json = None

    def gather(
        self, pipeline: RunningPipeline, batch: Batch, parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None
    ) -> Batch:
        """The events that are whole now. Blocking."""
        if pipeline.timeout_ns is None:  # it put events together once, and does no more
            found = Gathered(concat([self.held.batch, batch]), Held())
        else:
            found = pipeline.gather(batch, parser, held=self.held, now=time.time_ns(), last=self.last)
        self.held = found.held
        self.value = {"project": self.gathering.project, "held": _written(found.held)}
        return found.batch

    @property
    def mark(self) -> Checkpoint | None:
        """What is held, to be committed; None: as before, nothing is."""
        if not len(self.held.batch) and (self.previous is None or self.previous == self.value):
            return None
        return Checkpoint(self.gathering.key, self.value, self.previous)

    def submitted(self) -> None:
        """The batch will be committed, or refused, in its order: the next one follows it."""
        self.gathering.follows(self)


@dataclass(eq=False, slots=True)
class Gathering:
    """Of one source and project on one node."""

    node: str
    """The node and its data folder: what it held when it was killed, it finds again."""
    project: str = ""
    project_id: int = 0
    _held: Held | None = None
    """None: it is to be read from the store."""
    _value: Json = None
    _under_way: int = 0
    _idle: anyio.Event = field(default_factory=anyio.Event)
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def key(self) -> str:
        """Of its position."""
        return f"{self.project_id}/{self.node}"

    @asynccontextmanager
    async def turn(self, outlet: StoreOutlet) -> AsyncIterator[Turn]:
        """The turn of a batch of this outlet; others wait.

        :raises RetryableError: what is held is not known, and the database does not answer
        """
        async with self._lock:
            if self._held is None or outlet.project_id != self.project_id:
                await self._read(outlet)
            assert self._held is not None
            yield Turn(self, self._held, self._value)

    def due(self, timeout_ns: int) -> bool:
        """Whether something was held for so long; also where it is not known what is held."""
        return self._held is None or any(at + timeout_ns <= time.time_ns() for at in self._held.at)

    def follows(self, turn: Turn) -> None:
        """See `Turn.submitted`."""
        self._under_way += 1
        if turn.mark is not None:
            self._held, self._value = turn.held, turn.value

    def settled(self, committed: bool) -> None:
        """A batch was committed, or will not be."""
        self._under_way -= 1
        if not committed:
            self._held = None
        if not self._under_way:
            self._idle.set()

    async def _read(self, outlet: StoreOutlet) -> None:
        while self._under_way:  # what follows a batch that was refused is refused too
            self._idle = anyio.Event()
            await self._idle.wait()
        self.project, self.project_id = outlet.admission.project, outlet.project_id
        try:
            self._value = await outlet.store.checkpoint(f"{GATHERED}{outlet.source}", self.key)
        except DATABASE_ERRORS as why:
            raise RetryableError(trouble(why)) from why
        self._held = read(self._value)

    async def watch(self, outlet: StoreOutlet) -> None:
        """Let go what was waited for long enough, until cancelled."""
        assert outlet.pipeline.timeout_ns is not None
        every, complained = max(0.1, min(outlet.pipeline.timeout_ns / 4e9, 5.0)), False
        while True:
            await anyio.sleep(every)
            try:
                for one in outlet.everybodys():
                    if one.gathering is not None and one.project_id and one.gathering.due(outlet.pipeline.timeout_ns):
                        await one.send(Batch.from_lines([]))
                complained = False
            except RetryableError as why:
                if not complained:
                    _log.warning("source %s: what its pipeline holds must wait: %s", outlet.source, why)
                complained = True


def _written(held: Held) -> str:
    if not len(held.batch):
        return ""
    return b64encode(_encode((packed(held.batch), held.parts, held.at))).decode()


def read(value: Any) -> Held:
    """What a position of this kind says is held. It is waited for from now on: who held it may have been away."""
    if not value or not value["held"]:
        return Held()
    events, parts, at = _decode(b64decode(value["held"]))
    return Held(concat(unpacked(events)), parts, [time.time_ns()] * len(at))


class LeftOver:
    """Takes what nodes that are gone held, and sources that are no longer in the configuration."""

    def __init__(self, store: Store, registry: Registry, sources: Callable[[], Mapping[str, RunningSource]]) -> None:
        self._store, self._sources = store, sources
        self._plain = RunningPipeline(Pipeline("default", ()), registry)
        self.seconds = LEFT_SECONDS

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await anyio.sleep(_LOOK_SECONDS)
            try:
                await self.look()
            except RetryableError as why:
                _log.warning("what nodes that are gone held of events must wait: %s", why)
            except DATABASE_ERRORS as why:
                _log.warning("what nodes that are gone held of events must wait: %s", trouble(why))

    async def look(self) -> int:
        """Send what is left over through the pipelines of its sources; how many positions.

        :raises RetryableError: the store takes nothing
        """
        sources = self._sources()
        outlets = {name: running.outlet for name, running in sources.items()}
        own = [one.gathering.key for outlet in outlets.values() for one in outlet.everybodys() if one.gathering]
        timeouts = [outlet.pipeline.timeout_ns or 0 for outlet in outlets.values()]
        rows = await self._store.pool.fetch(_LEFT, GATHERED, self.seconds + max(timeouts, default=0) / 1e9)
        await self._store.pool.execute(_FORGET, GATHERED, own)
        taken = 0
        for source, key, value in rows:
            name = source.removeprefix(GATHERED)
            outlet = outlets.get(name) or next(iter(outlets.values()), None)
            if outlet is None:
                return taken
            mine = {one.gathering.key for one in outlet.everybodys() if one.gathering} if name in outlets else set()
            if key in mine:
                continue
            await self._take(name, outlet, key, value)
            taken += 1
        return taken

    async def _take(self, name: str, outlet: StoreOutlet, key: str, value: Any) -> None:
        project_id = int(key.partition("/")[0])
        door = Admission(value["project"], project_id, outlet.admission.usage, outlet.admission.limits)
        pipeline = outlet.pipeline if outlet.source == name else self._plain
        gathering = Gathering(key.partition("/")[2], value["project"], project_id)
        theirs = replace(outlet, source=name, pipeline=pipeline, admission=door, gathering=None, _others={})
        turn = Turn(gathering, read(value), value, last=True)
        receipt = await theirs.deliver(Batch.from_lines([]), turn=turn)
        await receipt.committed()
        _log.info("source %s: stored what a node that is gone held of its events", name)
