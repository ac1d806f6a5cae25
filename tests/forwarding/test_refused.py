"""What the other side of an output never takes is kept aside with its reason; the rest goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.forwarding import progress_of, progress_of_all
from cordwood.core.forwarding.sending import MOST_WRITES, Sending
from cordwood.core.runtime import Node
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.dead_letters import DeadLetter, Selection
from cordwood.plugins import (
    Batch,
    Lot,
    Output,
    OutputConfig,
    PartlyRejectedError,
    RejectedError,
    RetryableError,
)
from cordwood.plugins.conformance_class import make
from cordwood.plugins.conformance_output import lot_of
from cordwood.web.auth.projects import add_project

from .conftest import Receiver, config_of, events_of, level, messages, until, write
from .test_forwarding import files_of

pytestmark = pytest.mark.anyio
SMALL = "limits: {body_size: 20KB}"


class Choosy(Output[OutputConfig]):
    """Takes no event whose message begins with bad, and is away at the fourth request."""

    taken: Counter[str]
    requests = 0
    away_at = 4

    async def write(self, lot: Lot) -> None:
        self.requests += 1
        if self.requests == self.away_at:
            raise RetryableError("away")
        texts = lot.batch.frame["message"].to_list()
        if any(text.startswith("bad") for text in texts):
            raise RejectedError("one of these is bad")
        self.taken.update(texts)


class Telling(Choosy):
    """The same, and tells which."""

    away_at = 0

    async def write(self, lot: Lot) -> None:
        texts = lot.batch.frame["message"].to_list()
        bad = {row: f"{text} is bad" for row, text in enumerate(texts) if text.startswith("bad")}
        self.taken.update(text for text in texts if not text.startswith("bad"))
        raise PartlyRejectedError("some are bad", bad | {len(texts): "no such row", -1: "nor this"})


def choosy(cls: type[Choosy] = Choosy) -> Choosy:
    made = make(cls, {})
    assert isinstance(made, Choosy)
    made.taken = Counter()
    return made


async def test_a_lot_that_is_refused_is_divided_and_what_was_taken_is_not_sent_again() -> None:
    texts = [f"bad {n}" if n in (3, 70) else f"event {n}" for n in range(100)]
    lot, output = lot_of([{"message": text} for text in texts]), choosy()
    sending = Sending(lot.key, 100)
    with pytest.raises(RetryableError):
        await sending.send(output, lot)
    await sending.send(output, lot)
    assert sending.refused == {3: "one of these is bad", 70: "one of these is bad"}
    assert output.taken == Counter(text for text in texts if text.startswith("event"))


async def test_who_refuses_everything_is_not_asked_for_each() -> None:
    lot, output = lot_of([{"message": f"bad {n}"} for n in range(5000)]), choosy()
    output.away_at = 0
    sending = Sending(lot.key, 5000)
    await sending.send(output, lot)
    assert len(sending.refused) == 5000
    assert not output.taken
    assert output.requests < MOST_WRITES + 20


async def test_one_that_tells_which_it_refuses_has_the_others() -> None:
    lot, output = lot_of([{"message": "a"}, {"message": "bad b"}, {"message": "c"}]), choosy(Telling)
    sending = Sending(lot.key, 3)
    await sending.send(output, lot)
    assert sending.refused == {1: "bad b is bad"}
    assert output.taken == Counter(["a", "c"])


async def letters_of(node: Node) -> list[DeadLetter]:
    return await node.dead_letters.page(node.project_id, Selection(output="centre"), before=2**63 - 1, limit=100)


async def test_what_is_too_large_for_the_other_side_is_a_dead_letter_and_is_sent_again(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, receiver: Receiver
) -> None:
    config = f'outputs: {{centre: {{type: cordwood, url: "{receiver.url}", every: 100ms, start: beginning}}}}'
    receiver.node.config = config_of(SMALL)
    large = [f"large {n} {'x' * 30_000}" for n in range(2)]
    async with receiver.on(), open_node(database_url, data_dir, config) as node:
        await write(node, [{"message": text} for text in (*(f"small {n} {'y' * 2000}" for n in range(20)), *large)])
        await until(lambda: level(node, "centre"))
        await write(node, [{"message": "what follows"}])
        await until(lambda: level(node, "centre"))
        stored = messages(await events_of(node))
        there = messages(await events_of(receiver.node))
        letters = await letters_of(node)
        assert len(letters) == 2
        assert there == Counter({text: n for text, n in stored.items() if not text.startswith("large")})
        assert {letter.message[:7] for letter in letters} == {"large 0", "large 1"}
        assert {(letter.output, letter.parser, letter.step, letter.source) for letter in letters} == {
            ("centre", "cordwood", 0, "load")
        }
        assert "413" in letters[0].reason
        found = (await progress_of(node.store.pool, 1))["centre"]
        assert (found.state, found.refused, found.events) == ("ok", len(letters), there.total())
        labels = {"output": "centre", "type": "cordwood"}
        refused = node.metrics.get_sample_value("cordwood_output_refused_events_total", labels)
        assert refused == len(letters)
        # Refused again, they stay, with one more attempt; then the other side's limit is raised.
        replayer, limits = node.replayer(node.project_id), node.admission.limits
        again = await replayer.replay(node.config, limits, Selection(output="centre"), "ann")
        assert (again.replayed, again.failed) == (0, len(letters))
        assert {letter.attempts for letter in await letters_of(node)} == {2}
        receiver.node.config = config_of("")
        done = await replayer.replay(node.config, limits, Selection(), "ann")
        assert (done.replayed, done.failed) == (len(letters), 0)
        assert await letters_of(node) == []
        assert messages(await events_of(receiver.node)) == stored
        assert messages(await events_of(node)) == stored  # nothing of it went through a pipeline here


async def test_what_can_be_mended_there_is_tried_again_and_makes_no_dead_letter(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, receiver: Receiver
) -> None:
    config = f'outputs: {{centre: {{type: cordwood, url: "{receiver.url}/elsewhere", every: 100ms, start: beginning}}}}'

    async def failed() -> bool:
        found = await progress_of(node.store.pool, node.project_id)
        return "centre" in found and found["centre"].state == "failed"

    async with receiver.on(), open_node(database_url, data_dir, config) as node:
        await write(node, [{"message": "one"}])
        await until(failed)
        assert "404" in ((await progress_of(node.store.pool, node.project_id))["centre"].error or "")
        assert await letters_of(node) == []
        node.forwarding.reload(config_of(config.replace("/elsewhere", "")))
        await until(lambda: level(node, "centre"))
        assert messages(await events_of(receiver.node)) == Counter(["one"])


async def test_an_output_of_a_project_sends_its_events_as_soon_as_there_is_one(
    open_node: Callable[..., Any], database_url: str, data_dir: Path, tmp_path: Path
) -> None:
    def lines(name: str, project: str) -> str:
        return f'{name}: {{type: file, folder: "{tmp_path}/{name}", format: ndjson, every: 100ms, project: {project}}}'

    async with open_node(database_url, data_dir, f"outputs: {{{lines('a', 'default')}, {lines('b', 'shop')}}}") as node:
        await until(lambda: level(node, "a"))
        assert "b" not in await progress_of_all(node.store, node.config.outputs)
        shop = await add_project(node.store.pool, "shop")

        async def known() -> bool:
            return "b" in await progress_of_all(node.store, node.config.outputs)

        await until(known)
        await write(node, [{"message": "of default"}])
        batch = Batch.from_records([{"message": "of shop"}])
        await (await node.store.writer.submit(Submission(shop.id, "load", batch))).committed()

        async def all_sent() -> bool:
            found = await progress_of_all(node.store, node.config.outputs)
            return all(one.events == 1 and one.commits == 0 for one in found.values())

        await until(all_sent)
    assert messages(files_of(tmp_path / "a")) == Counter(["of default"])
    assert messages(files_of(tmp_path / "b")) == Counter(["of shop"])
