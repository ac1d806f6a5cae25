"""What a plugin extends: one base class for each of the six kinds, with the settings as its type parameter.

    class Glog(Parser[GlogConfig]):      # `type: glog` in the YAML
        def parse(self, batch): ...

A class has the one method of its kind; its docstring and those of its settings become its page in the documentation.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeAlias, TypeVar, get_args

import anyio
import anyio.to_thread
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .described import Described
from .durations import Duration, duration_ns
from .memory import Memory
from .notification import Notification, Pressed
from .severity import LEVELS, NAMES, WORDS

if TYPE_CHECKING:
    import polars as pl

    from .batch import Batch
    from .needs import Need

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
"""Any JSON value."""


class PluginConfig(Described, BaseModel):
    """Base of a plugin's settings: unknown names are errors, values are frozen, docstrings describe them."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)


def _at_least_a_tenth(text: str) -> str:
    """Faster than ten times a second is a mistake that would keep a processor busy."""
    if duration_ns(text) < 100_000_000:
        raise ValueError(f"{text} is too short; use 100ms or more")
    return text


def _level(text: str) -> str:
    word = text.strip().lower()
    if word not in WORDS:
        raise ValueError(f"{text!r} is no severity; use one of {', '.join(LEVELS).lower()}")
    return NAMES[WORDS[word]].lower()


Severity: TypeAlias = Annotated[str, AfterValidator(_level)]
"""A severity by name, in small letters."""


class DetectorConfig(PluginConfig):
    """Settings that every detector has."""

    every: Annotated[Duration, AfterValidator(_at_least_a_tenth)] = "1m"
    """How often it runs at most: a duration such as `10s` or `5m`. Nothing new to judge: it does not run."""
    window: Annotated[Duration, AfterValidator(_at_least_a_tenth)] = "5m"
    """How far back each run looks, by the events' own time."""
    resolve_after: Duration | None = None
    """How long a group must have been well before its incident is resolved; one `window` if not set."""
    grace: Duration = "15m"
    """How late an event may arrive and still count: past windows are judged again for events up to this old."""
    notify: list[str] = []
    """Names of the notifiers that are told when an incident opens and when it is resolved."""
    severity: Severity = "error"
    """Severity of its incidents: trace, debug, info, warn, error or fatal."""
    flaps: int = Field(3, ge=0, le=1000)
    """One that opened and ended so often within `flaps_within` and opens again is flapping: people are told that once,
    and it stays open until it is calm. 0: never."""
    flaps_within: Annotated[Duration, AfterValidator(_at_least_a_tenth)] = "1h"
    """The time in which `flaps` are counted, and for which a flapping incident must not change to be calm."""
    depends_on: list[str] = Field([], max_length=20)
    """Names of detectors; while one of them has an incident, people are told of that one, and of none of this one's."""
    depends_by: list[str] = Field([], max_length=10)
    """Fields of the group that must be equal in both incidents, such as `[host]`; not given: any incident counts."""
    depends_for: Duration = "2m"
    """How long after the end of what it depends on an incident must last until people are told."""


Every: TypeAlias = Annotated[Duration, AfterValidator(_at_least_a_tenth)]
"""How often something is done: a tenth of a second at the least."""


ProjectName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""The name of a project."""


class ProjectConfig(PluginConfig):
    """Of what belongs to a project that the file names: every output, and every source with a way in of its own."""

    project: ProjectName = "default"
    """The project whose events these are; until there is one of that name, nothing passes here."""


class OutputConfig(ProjectConfig):
    """Settings that every output has."""

    when: str = ""
    """A search: only events that it finds are sent. Not set: all."""
    start: Literal["now", "beginning"] = "now"
    """Where an output that is new begins: with what comes from now on, or with the oldest event in the store."""
    every: Every = "1s"
    """How long events are gathered at most until they are sent together."""
    max_events: int = Field(20_000, ge=1, le=1_000_000)
    """As many events are sent together; only those of one commit, which is never divided, may be more."""
    max_bytes: int = Field(8_000_000, ge=10_000, le=256_000_000)
    """Bytes of them as JSON, about; as with `max_events`."""


C = TypeVar("C", bound=PluginConfig)
D = TypeVar("D", bound=DetectorConfig)
U = TypeVar("U", bound=OutputConfig)


class Plugin(ABC, Generic[C]):
    """An instance of a plugin with its settings. `type` is the class's name in snake case unless the class sets it."""

    kind: ClassVar[str]
    config_model: ClassVar[type[PluginConfig]]
    type: ClassVar[str]

    def __init__(self, config: C) -> None:
        self.config = config

    def needs(self) -> Sequence[Need] | None:
        """What must be there so that it can work: ports, files, hosts, programs; `cordwood check --deep` tries them.

        None, as here: it does not say, and the check says that. The plugin is not running then.
        """
        return None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "type" not in cls.__dict__:
            cls.type = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        for base in getattr(cls, "__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, PluginConfig):
                    cls.config_model = argument


class Parser(Plugin[C]):
    """Maps a batch to a batch. Runs in a worker thread: no I/O, no state between batches, whole columns at a time."""

    kind = "parser"

    @abstractmethod
    def parse(self, batch: Batch) -> Batch:
        """The events as this parser understands them; rows it does not understand stay, with `parse_error`.

        An exception is no way to refuse a line: it marks the whole batch with `parse_error` and counts as a defect.
        """

    def keeps(self, batch: Batch) -> pl.Series | None:
        """Which events go on after `parse`, a Boolean for each row; None: all of them, as with nearly every parser.

        The others are not stored: they are acknowledged and counted.
        """
        return None

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """How sure it is, from 0 to 1, that these messages, some of a stream, are of its format; for `auto`.

        It should cost no more than a regular expression over a hundred lines. The default: it is never chosen.
        """
        return 0.0


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The commit that holds a batch. `duplicate`: its key had been committed before, and nothing was stored now."""

    accepted: int
    duplicate: bool = False


class Receipt(Protocol):
    """What a source gets for a batch that was taken in."""

    async def committed(self) -> Acknowledgement:
        """Wait for the PostgreSQL commit that holds the batch and its checkpoint.

        :raises RetryableError: nothing was stored; send it again (a file: from its checkpoint)
        :raises RejectedError: it will never be stored
        """


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A source's position after a batch, committed in the same transaction as the batch.

    `previous` is the value that the source believes is stored (None: none yet). If another is found there, somebody
    else has read on: nothing is stored and `CheckpointConflictError` is raised.
    """

    key: str
    value: Json
    previous: Json = None


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a batch that came in one request, with its idempotency key."""

    rows: int
    key: str | None = None
    received: int = 0
    """Bytes of the request's body, uncompressed."""


class Outlet(Protocol):
    """Where a source sends its batches; bounded, so that a slow store makes the source wait."""

    source: str
    """The source's name in the YAML."""

    def started(self) -> None:
        """Say that the source listens or reads. Who exchanges a configuration waits for it, or for a failure, a second
        at most: a source that never says it costs that second."""

    async def send(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        received: int = 0,
    ) -> Receipt:
        """Hand over a batch; returns when there is room for it. Batches of one source commit in the order sent.

        An empty batch with a checkpoint commits that checkpoint alone.
        `key` is an idempotency key: a batch whose key was committed within 24 hours is not stored again.
        `parser` is a parser with its settings as a step of the YAML has them, `{"type": "regex", "pattern": "…"}`, or
        several in their order; they run before the pipeline's own. Settings given as text (from an URL) are converted
        as pydantic does.
        `received` is the number of bytes as they came, uncompressed, which the project's limits count; 0: the batch's
        size in memory stands for them.

        :raises LimitError: a limit of the project is reached; only to an HTTP source, others are made to wait
        :raises RetryableError: the store does not answer, or has no room
        :raises RejectedError: there is no such parser, or its settings are wrong
        """

    async def hold(self, batch: Batch, *, received: int = 0) -> None:
        """Hand over a batch of peers that cannot wait, as those of UDP: it is sent in its turn, and nobody is told.

        While the store takes nothing it is kept on the disk, in order, up to the limit `spool`; beyond, it is lost and
        counted. `received` is as in `send`. A source sends all its batches in this way, or holds none.
        """

    async def send_parts(self, batch: Batch, parts: Sequence[Part]) -> Sequence[Receipt]:
        """Hand over the events of several requests, whose rows follow each other in the batch: a receipt for each.

        As `send` for every part alone, at the cost of one. A receipt's `committed` raises what `send` would have.
        """

    async def authorise(self, headers: Mapping[str, str], client: str) -> None:
        """Let a peer in that came to a listener of the source's own, as over HTTP.

        `headers` are what it sent, names in lower case, with its token in `authorization`; `client` is its address.

        :raises DeniedError: it is nobody, or may not, or is of another project than the source
        :raises RetryableError: the database does not answer
        """

    async def checkpoint(self, key: str) -> Json:
        """The committed position under this key, or None."""

    async def checkpoints(self, prefix: str) -> Mapping[str, Json]:
        """All committed positions whose key starts with `prefix`, by key."""

    async def forget(self, prefix: str, there: Sequence[str], after_s: float) -> Sequence[str]:
        """Delete the positions under `prefix` of what has not been there for `after_s` seconds; the deleted keys.

        `there` are the keys of what is there now: a source says so some times within `after_s`, on each node for its
        own. A position is there also while it moves. Nothing is deleted within `after_s` of the first call.

        :raises RetryableError: the store does not answer
        """


class Source(Plugin[C]):
    """Takes events in. `run` ends when it is cancelled, or when there is nothing more to give."""

    kind = "source"

    @property
    def counts(self) -> Mapping[str, int]:
        """What it has counted since it ran, by name in snake case; `/metrics` shows `dropped_datagrams` as
        `cordwood_source_dropped_datagrams_total`, and of this one `/readyz` warns. Read when it is scraped."""
        return {}

    @abstractmethod
    async def run(self, outlet: Outlet) -> None:
        """Read, `send`, wait for `committed` where the peer is told so. Acknowledge only after the commit.

        :raises RetryableError: start me again after a while
        :raises FatalError: I can do nothing until an operator acts
        """


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that was let in: authorised, within bounds, its body decompressed."""

    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The answer to a request; errors are raised instead, and answered as `HttpSource.refusal` says.

    RejectedError: 400; LimitError: 429, other RetryableErrors: 503, both with Retry-After.
    """

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpSource(Source[C]):
    """A source that others post to, under Cordwood's own HTTP port. Active even if no YAML names it."""

    routes: ClassVar[Sequence[tuple[str, str]]]
    """(method, path) pairs; a path may have `{name}` parts."""

    @abstractmethod
    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer one request, after the commit of what it brought.

        :raises RejectedError: the request is no such thing at all
        :raises RetryableError: the store does not answer
        """

    def needs(self) -> Sequence[Need] | None:
        """Nothing: it has no listener of its own."""
        return ()

    def concerns(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request for one of its routes is meant for it: `/`, for one, is the UI's as well."""
        return True

    def public(self, path: str) -> HttpResponse | None:
        """What anybody gets who GETs one of its routes, without a token: a script that pages load. None: nothing."""
        return None

    def token(self, path_params: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        """The token that the format has in its address; it counts where no header shows one."""
        return None

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse | None:
        """The format's own answer to a request that was not let in or failed; None: an RFC 9457 problem.

        `headers` are the request's, `status` and `detail` what the problem would say; Retry-After is added.
        """
        return None

    async def run(self, outlet: Outlet) -> None:
        """Nothing to read: requests arrive by `receive`."""
        outlet.started()
        await anyio.sleep_forever()


@dataclass(frozen=True, slots=True)
class Finding:
    """One group that is in trouble now. The same `group` later is the same incident."""

    group: Mapping[str, Json]
    title: str
    values: Mapping[str, Json]
    sample_query: str
    """A search whose newest events show the trouble, best within the window looked at."""
    severity: str | None = None
    """Overrides the detector's own."""


class DetectorRun(Protocol):
    """One look of a detector at the committed events, up to one point of the segment log."""

    name: str
    """The detector's name in the YAML."""
    at_ns: int
    """The end of the window that is judged, nanoseconds since the epoch."""
    learned: bytes | None
    """What the detector kept in its last run; None: nothing yet. It may be of another release, or of other settings."""

    def keep(self, learned: bytes) -> None:
        """Keep this for the next run, on whichever node: it is committed together with what this run finds.

        :raises RejectedError: it is larger than 16 MiB
        """

    @property
    def memory(self) -> Memory:
        """What earlier runs remembered, and what this one adds."""

    def lasts(self, until_ns: int) -> None:
        """What is found now would be found again up to this moment unless new events come that `searches` finds.

        Who says so is not run again and again while an incident is open.
        """

    async def open_groups(self) -> Sequence[Mapping[str, Json]]:
        """The groups whose incident is open, as they were found; none while a past window is judged again.

        :raises RetryableError: the database does not answer
        """

    async def query(self, text: str, *, from_ns: int, to_ns: int) -> list[dict[str, Any]]:
        """The rows of a query over events with `from_ns <= timestamp < to_ns`.

        :raises QueryError: the query is wrong
        """

    def group_fields(self, text: str) -> tuple[str, ...] | None:
        """The columns that tell the rows of an aggregation apart, times left out; None where nothing is aggregated.

        :raises QueryError: the query is wrong
        """

    def sample_query(self, text: str, group: Mapping[str, Json]) -> str:
        """A search for the events behind one group: what the query does before it aggregates, narrowed to the group.

        :raises QueryError: the query is wrong
        """


class Detector(Plugin[D]):
    """Judges committed events. Runs on one node at a time; what it finds becomes incidents."""

    kind = "detector"

    @property
    def searches(self) -> Sequence[str] | None:
        """Queries whose searches (what stands before the first `|`) together find every event that it looks at.

        Where none of them finds anything in new events, it is not run: it must then find what it found before, and
        nothing once its `window` holds no such event. None, as with most: it is run after any commit.
        """
        return None

    @abstractmethod
    async def detect(self, run: DetectorRun) -> list[Finding]:
        """All groups that are in trouble at `run.at_ns`; a group that is no longer returned has recovered."""


class Notifier(Plugin[C]):
    """Tells people."""

    kind = "notifier"
    shows_chart: ClassVar[bool] = False
    """Whether it shows `Notification.chart`: for others none is made."""

    @abstractmethod
    async def notify(self, notification: Notification) -> str:
        """Deliver once; returns what the other side answered, in a few words, for the history.

        :raises RetryableError: not delivered, try again (after `after` seconds)
        :raises RejectedError: the other side will never take it
        """

    def pressed(self, headers: Mapping[str, str], body: bytes) -> Pressed | None:
        """What was pressed, of a request by which the other side says so; `headers` have names in lower case.

        None: it has no such buttons, or the request is not the other side's.
        """
        return None

    def preview(self, notification: Notification) -> str | None:
        """What it would send, in text; None: the message as `plain_text` has it.

        :raises RejectedError: it cannot be made
        """
        return None


@dataclass(frozen=True, slots=True)
class Lot:
    """Committed events that an output sends together, in the order of their commits."""

    key: str
    """ASCII letters, digits, `-` and `_`; it begins with a time, so keys sort as events arrived. After a failure or a
    crash the same events come with the same key, and other events never do."""
    batch: Batch
    arrived_ns: int
    """When the first of the events came in, in nanoseconds since the epoch."""


class Output(Plugin[U]):
    """Sends committed events on. Runs on one node at a time; what does not get through comes again, nobody waits."""

    kind = "output"

    @abstractmethod
    async def write(self, lot: Lot) -> None:
        """Send a lot; returns when the other side holds it for good.

        :raises RetryableError: not now; the same lot comes again (after `after` seconds)
        :raises PartlyRejectedError: it never takes some of these events, and holds the others
        :raises RejectedError: it never takes the lot as it is: its halves come next, and what is refused alone is kept
            as a dead letter
        :raises FatalError: it refuses us until an operator acts; the same lot comes again
        """


@dataclass(frozen=True, slots=True)
class SharedObject:
    """Where others than Cordwood read an object, by the S3 protocol. Without a key they use their own."""

    url: str
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)


class Place(Plugin[C]):
    """Keeps segments' bytes outside PostgreSQL, as objects: each key is written once, and never again after a delete.

    Every process makes its own instance; many calls run at once. Cordwood retries nothing: a place does, for seconds.
    """

    kind = "place"

    @property
    @abstractmethod
    def location(self) -> str:
        """Where it is, in words for an operator and without secrets: `the folder /var/lib/segments`."""

    @abstractmethod
    async def put(self, key: str, data: bytes) -> None:
        """Store an object: durable on return, and never there in part, whatever happens meanwhile.

        A key is a relative path of ASCII letters, digits, `-`, `_`, `.` and `/`.

        :raises RetryableError: the place does not answer, or has no room
        :raises FatalError: it refuses us until an operator acts
        """

    @abstractmethod
    async def get(self, key: str) -> bytes | None:
        """The object's bytes; None: there is none of this key, which is not the same as a place that is not there.

        :raises RetryableError: as `put`
        :raises FatalError: as `put`
        """

    @abstractmethod
    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, for good; one that is not there is as good as deleted.

        :raises RetryableError: some may be there still
        :raises FatalError: as `put`
        """

    def shared(self, key: str) -> SharedObject | None:
        """Where another query engine reads the object; None, as here: only through this place."""
        return None


_T = TypeVar("_T")


async def in_worker(function: Callable[..., _T], *arguments: Any, limiter: anyio.CapacityLimiter | None = None) -> _T:
    """Run blocking or computing work in a thread, so that the event loop stays free."""
    return await anyio.to_thread.run_sync(function, *arguments, limiter=limiter)


def half_the_cores() -> anyio.CapacityLimiter:
    """A limiter for `in_worker` that leaves the other half to queries and the rest; at least one thread."""
    return anyio.CapacityLimiter(max(1, (os.cpu_count() or 2) // 2))
