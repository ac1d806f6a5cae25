"""Dead letters through their pipeline: as they come about, and again when the pipeline was mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import anyio.to_thread

from ...config import Config, ProjectLimits
from ...plugins import Batch, CheckpointConflictError, Registry, RetryableError
from ...plugins.ndjson import nested
from ..forwarding import OutputReplayer
from ..storage.audit import audit
from ..storage.commit import Submission
from ..storage.dead_letters import Dead, DeadLetter, DeadLetters, Selection, dead, unpacked
from ..storage.store import Store
from .event_size import cut
from .pipeline import Outcome, RunningPipeline
from .reads import Known, PipelineReads

AT_ONCE, AT_ONCE_BYTES = 1000, 8 * 1024 * 1024
"""Dead letters read, and bytes of them, before their events are committed."""
A_CALL = 10_000
"""Dead letters that one call replays at most."""
_TRIES = 5  # for those that somebody else replays, deletes or lets go at the same moment


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a call did. `next`: there may be more after this id; None: there are none."""

    replayed: int = 0
    failed: int = 0
    next: int | None = None


def dead_letters(
    outcome: Outcome, source: str, pipeline: RunningPipeline, limits: ProjectLimits
) -> list[tuple[int, Dead]]:
    """The rows that a pipeline's steps could not read, by their numbers, as they entered it. Blocking."""
    if not outcome.fallen:
        return []
    entered = cut(outcome.entered, limits.event_size)[0].with_names(limits.field_name)
    found: list[tuple[int, Dead]] = []
    for fallen in outcome.fallen:
        letters = dead(
            entered, fallen.rows, fallen.reasons, source=source, pipeline=pipeline.pipeline.name, step=fallen.step,
            parser=fallen.parser,
        )  # fmt: skip
        found += zip(fallen.rows.to_list(), letters, strict=True)
    return found


class Replayer:
    """Sends dead letters through the pipeline that their source belongs to now.

    Their events are committed in the transaction that takes them out, so each is stored once, whoever else replays
    them and whatever is killed meanwhile. Those that fail again stay, with the new reason. Those of outputs go to
    their outputs.
    """

    def __init__(self, store: Store, registry: Registry, project_id: int, reads: PipelineReads) -> None:
        self._store, self._registry, self._project_id = store, registry, project_id
        self._letters = DeadLetters(store.pool)
        self._reads = reads

    async def replay(
        self, config: Config, limits: ProjectLimits, chosen: Selection, who: str, *, after: int = 0
    ) -> Replayed:
        """Replay those with an id after `after`, oldest first, at most `A_CALL` of them.

        :raises RetryableError: the database does not answer; what was counted before is done
        """
        pipelines = _Pipelines(config, self._registry)
        outputs = OutputReplayer(self._store, self._project_id, config.outputs)
        told = {
            "ids": chosen.ids, "source": chosen.source, "pipeline": chosen.pipeline, "output": chosen.output,
            "after": after,
        }  # fmt: skip
        wanted = {name: value for name, value in told.items() if value is not None}
        await audit(self._store.pool, who, "dead_letter.replay", project_id=self._project_id, **wanted)
        done = Replayed(next=after)
        looked = 0
        while done.next is not None and looked < A_CALL:
            ids = await self._letters.next_ids(
                self._project_id, chosen, after=done.next, most=AT_ONCE, size=AT_ONCE_BYTES
            )
            if not ids:
                return replace(done, next=None)
            looked += len(ids)
            replayed, failed = await self._some(ids, pipelines, limits, outputs)
            done = Replayed(done.replayed + replayed, done.failed + failed, ids[-1])
        return done

    async def _some(
        self, ids: Sequence[int], pipelines: _Pipelines, limits: ProjectLimits, outputs: OutputReplayer
    ) -> tuple[int, int]:
        """How many were stored or sent, and how many failed again."""
        left, replayed, failed = list(ids), 0, 0
        for _ in range(_TRIES):
            found = await self._letters.events(self._project_id, left)
            letters = [pair for pair in found if pair[0].output is None]
            if elsewhere := [letter for letter, _ in found if letter.output is not None]:
                sent, again = await outputs.replay(elsewhere)
                replayed, failed = replayed + sent, failed + again
            used = pipelines.used(letters)
            tables = frozenset[str]().union(*(pipeline.tables for pipeline in used))
            by_patterns = any(pipeline.by_patterns for pipeline in used)
            known = await self._reads.of(self._project_id, tables, by_patterns=by_patterns)
            submissions = await anyio.to_thread.run_sync(
                self._read, letters, pipelines, limits, known, limiter=self._store.workers
            )
            receipts = [await self._store.writer.submit(submission) for submission in submissions]
            left = []
            for submission, receipt in zip(submissions, receipts, strict=True):
                try:
                    await receipt.committed()
                except CheckpointConflictError:
                    left += submission.replays | {letter.id for letter in submission.dead if letter.id}
                else:
                    replayed, failed = replayed + len(submission.replays), failed + len(submission.dead)
            if not left:
                return replayed, failed
        raise RetryableError("somebody else replays or deletes the same dead letters; try again", after=1)

    def _read(
        self,
        letters: Sequence[tuple[DeadLetter, bytes]],
        pipelines: _Pipelines,
        limits: ProjectLimits,
        known: Known,
    ) -> list[Submission]:
        """What is to be committed for these. Blocking."""
        found: list[Submission] = []
        for (source, named), group in groupby(letters, lambda pair: (pair[0].source, pair[0].pipeline)):
            mine = list(group)
            pipeline = pipelines.of(source, named)
            if pipeline is None:
                reason = f"replay: neither the source {source} nor the pipeline {named} is in the configuration"
                found.append(self._submission(source, _none(), [], [_again(letter, reason) for letter, _ in mine]))
                continue
            at = 0
            for batch in unpacked([event for _, event in mine]):
                numbered = [letter for letter, _ in mine[at : at + len(batch)]]
                at += len(batch)
                found.append(self._through(pipeline, source, batch, numbered, limits, known))
        return found

    def _through(
        self,
        pipeline: RunningPipeline,
        source: str,
        batch: Batch,
        letters: Sequence[DeadLetter],
        limits: ProjectLimits,
        known: Known,
    ) -> Submission:
        with nested(limits.depth):
            outcome = pipeline.run(batch, source, known=known, gathered=True)
        stored = cut(outcome.batch, limits.event_size)[0].with_names(limits.field_name)
        failed = {
            row: replace(letter, id=letters[row].id)
            for row, letter in dead_letters(outcome, source, pipeline, limits)
        }  # fmt: skip
        replays = [letter.id for row, letter in enumerate(letters) if row not in failed]
        return self._submission(source, stored, replays, list(failed.values()))

    def _submission(self, source: str, batch: Batch, replays: Sequence[int], again: Sequence[Dead]) -> Submission:
        made = Submission(self._project_id, source, batch, dead=again, replays=frozenset(replays))
        made.received = 0  # it counted when it came
        return made


class _Pipelines:
    """The pipelines of a configuration, made when they are asked for."""

    def __init__(self, config: Config, registry: Registry) -> None:
        self._config, self._registry = config, registry
        self._made: dict[str, RunningPipeline] = {}

    def of(self, source: str, named: str) -> RunningPipeline | None:
        """The one that the source belongs to now, else the one of this name; None: there is neither."""
        config = self._config
        name = config.pipeline_of(source).name if source in config.sources else named
        if name not in config.pipelines:
            return None
        if name not in self._made:
            self._made[name] = RunningPipeline(config.pipelines[name], self._registry)
        return self._made[name]

    def used(self, letters: Sequence[tuple[DeadLetter, bytes]]) -> list[RunningPipeline]:
        """Those that these go through."""
        made = {self.of(letter.source, letter.pipeline) for letter, _ in letters}
        return [pipeline for pipeline in made if pipeline]


def _none() -> Batch:
    return Batch.from_lines([])


def _again(letter: DeadLetter, reason: str) -> Dead:
    return Dead(letter.source, letter.pipeline, letter.step, letter.parser, reason, letter.message, b"", letter.id)
