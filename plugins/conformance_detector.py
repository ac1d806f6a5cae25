"""Conformance of detectors: quiet without data, the same again, any memory survived, and a wrong query is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .base import Detector, Finding, Json, PluginConfig
from .conformance_class import Check, Contract, class_checks, make, require, tests_of
from .errors import QueryError
from .memory import Seen

_AT = 1_768_471_200_000_000_000


class _Memory:
    """Remembers while it is there."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Seen]:
        return {key: self.seen[key] for key in keys if key in self.seen}

    async def texts(self) -> Sequence[str]:
        return [seen.text for seen in self.seen.values() if seen.text is not None]

    def remember(self, key: str, seen: Seen) -> None:
        self.seen[key] = seen


@dataclass
class _Run:
    """A look at data that the test made up: every query answers `rows`, or is wrong."""

    rows: Sequence[Mapping[str, Any]] = ()
    groups: tuple[str, ...] | None = ()
    wrong: bool = False
    name: str = "conformance"
    at_ns: int = _AT
    learned: bytes | None = None
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    memory: _Memory = field(default_factory=_Memory)
    lasts_until: int | None = None

    def lasts(self, until_ns: int) -> None:
        self.lasts_until = until_ns

    async def open_groups(self) -> Sequence[Mapping[str, Json]]:
        return ()

    def keep(self, learned: bytes) -> None:
        self.learned = learned

    async def query(self, text: str, *, from_ns: int, to_ns: int) -> list[dict[str, Any]]:
        self.asked.append((text, from_ns, to_ns))
        if self.wrong:
            raise QueryError("no such field", text=text)
        return [dict(row) for row in self.rows]

    def group_fields(self, text: str) -> tuple[str, ...] | None:
        if self.wrong:
            raise QueryError("no such field", text=text)
        return self.groups

    def sample_query(self, text: str, group: Mapping[str, Json]) -> str:
        return text


def detector_contract(
    cls: type[Detector[Any]],
    config: Mapping[str, Any] | PluginConfig | None = None,
    trouble: Sequence[Mapping[str, Any]] = (),
    groups: tuple[str, ...] | None = (),
    *,
    finds_silence: bool = False,
) -> Contract:
    """The tests of a detector.

    `trouble` are rows of its query that show trouble, `groups` the columns that tell them apart. `finds_silence`: no
    events at all are trouble to this detector.
    """

    async def detect(run: _Run) -> list[Finding]:
        found = await make(cls, config).detect(run)
        require(isinstance(found, list), f"detect returned {type(found).__name__}, not a list of Finding")
        return found  # type: ignore[no-any-return]

    async def quiet() -> None:
        found = await detect(_Run(groups=groups))
        require(bool(found) == finds_silence, f"without any events it found {found}")

    async def looks_back() -> None:
        run = _Run(trouble, groups)
        await detect(run)
        late = [text for text, start, end in run.asked if end > run.at_ns or start >= end]
        require(not late, f"a query looks beyond run.at_ns, or at an empty span: {late}")
        heard = run.lasts_until is None or make(cls, config).searches
        require(heard, "what lasts until new events come needs `searches` that find them")

    async def same_again() -> None:
        first, second = await detect(_Run(trouble, groups)), await detect(_Run(trouble, groups))
        require(first == second, "the same data gives different findings the second time")

    async def strange_memory() -> None:
        run = _Run(trouble, groups)
        await detect(run)
        kept = run.learned
        if kept is None:
            return
        for strange in (b"", b"\x00", b"{}", kept[: len(kept) // 2], kept[:-1] + bytes([kept[-1] ^ 1]), b"\xff" * 99):
            await detect(_Run(trouble, groups, learned=strange))

    async def wrong_query() -> None:
        try:
            await detect(_Run(trouble, groups, wrong=True))
        except QueryError:
            return
        raise AssertionError("a QueryError must reach the caller: the operator is to see what is wrong")

    async def finds() -> None:
        found = await detect(_Run(trouble, groups))
        require(found, "the rows given as trouble are none to it")
        for one in found:
            require(one.title.strip(), "a finding needs a title that tells a person what is wrong")
            require(one.sample_query.strip(), "a finding needs a query that shows the trouble")
            json.dumps([dict(one.group), dict(one.values)])
        told = [json.dumps(dict(one.group), sort_keys=True) for one in found]
        require(len(set(told)) == len(told), "two findings have the same group: they would be one incident")

    checks: dict[str, Check] = {
        "no data": quiet,
        "looks back only": looks_back,
        "same again": same_again,
        "strange memory": strange_memory,
        "wrong query": wrong_query,
    }
    return tests_of(class_checks(cls, "detector") | checks | ({"finds trouble": finds} if trouble else {}))
