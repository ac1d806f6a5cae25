"""Dead letters of outputs, sent once more: to the output that they are of, and to nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from ...config import OutputEntry
from ...plugins import Batch, DeliveryError, Lot, OutputConfig, RetryableError, concat, in_worker
from ..storage.dead_letters import Bounds, Dead, DeadLetter, DeadLetters, keep, unpacked
from ..storage.leader import Session, lead_once
from ..storage.store import Store
from .label import label
from .sending import Sending


class OutputReplayer:
    """Sends dead letters to their outputs. What was taken is no dead letter any more; what is refused again stays.

    One at a time, on whichever node: a lock sees to it that two who ask for the same send it once. A crash between the
    sending and the note sends it again, with the same key.
    """

    def __init__(self, store: Store, project_id: int, outputs: Mapping[str, OutputEntry]) -> None:
        self._store, self._project_id, self._outputs = store, project_id, outputs

    async def replay(self, letters: Sequence[DeadLetter]) -> tuple[int, int]:
        """How many were taken, and how many refused again.

        :raises RetryableError: somebody else replays, an output does not answer or takes nothing from us, or the
            database does not answer; what was sent before is done
        """
        taken = failed = 0
        for name, group in groupby(letters, lambda letter: letter.output or ""):
            sent, again = await self._one(name, [letter.id for letter in group])
            taken, failed = taken + sent, failed + again
        return taken, failed

    async def _one(self, name: str, ids: Sequence[int]) -> tuple[int, int]:
        done: list[tuple[int, int]] = []
        trouble: list[Exception] = []

        async def work(session: Session) -> None:
            try:
                done.append(await self._sent(session, name, ids))
            except (DeliveryError, TimeoutError) as why:
                trouble.append(why)

        if not await lead_once(self._store.pool, f"replay to outputs of {self._project_id}", work):
            raise RetryableError("somebody else replays dead letters of outputs; try again", after=2)
        if trouble:
            raise RetryableError(f"output {name}: {trouble[0] or 'it does not answer'}", after=5) from trouble[0]
        return done[0]

    async def _sent(self, session: Session, name: str, ids: Sequence[int]) -> tuple[int, int]:
        known = await DeadLetters(self._store.pool).events(self._project_id, ids)  # by now some may be gone
        if not known:
            return 0, 0
        entry = await self._entry(name)
        if entry is None:
            reason = f"replay: there is no output {name} of this project in the configuration"
            refused = dict.fromkeys(range(len(known)), reason)
        else:
            batch = await in_worker(lambda: concat(unpacked([event for _, event in known])))
            lot = _lot(name, batch, [letter.id for letter, _ in known])
            sending = Sending(lot.key, len(batch))
            await sending.send(entry.make(), lot)
            refused = sending.refused
        again = [_again(known[row][0], reason) for row, reason in refused.items()]
        taken = [letter.id for row, (letter, _) in enumerate(known) if row not in refused]
        async with session.transaction() as connection:
            await keep(connection, self._project_id, again, self._bounds, done=taken)
        return len(taken), len(again)

    async def _entry(self, name: str) -> OutputEntry | None:
        """The output of this name, if it is of this project still."""
        entry = self._outputs.get(name)
        if entry is None:
            return None
        assert isinstance(entry.config, OutputConfig)
        return entry if await self._store.project_id(entry.config.project) == self._project_id else None

    @property
    def _bounds(self) -> Bounds:
        return self._store.writer.dead_letters


def _lot(name: str, batch: Batch, ids: Sequence[int]) -> Lot:
    first: Any = batch.frame["observed_timestamp"].to_physical().min()
    at = datetime.fromtimestamp((first or 0) // 10**9, UTC)
    which = hashlib.sha256(repr(ids).encode()).hexdigest()[:16]
    return Lot(f"{at:%Y%m%dT%H%M%S}{(first or 0) % 10**9:09}Z-again-{which}-{label(name)}", batch, first or 0)


def _again(letter: DeadLetter, reason: str) -> Dead:
    made = Dead(letter.source, "", 0, letter.parser, reason, letter.message, b"", letter.id)
    return replace(made, output=letter.output)
