"""`cordwood try`: what each step of a pipeline file makes of a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from ..config import Config, Step
    from ..core.runtime.trial import TriedStep
    from ..plugins import Registry, Table

_LONGEST: Final = 300  # characters of a value that are shown; --json has all
_MARKS: Final = {"+": "green", "-": "red", "~": "yellow", "!": "bold red"}


def try_(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file to try.", show_default=False)],
    lines: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LINE]…", help="Lines, or objects of JSON; none: standard input.", show_default=False),
    ] = None,
    source: Annotated[
        str, typer.Option(help="The source that they come from: its pipeline is tried.", show_default=False)
    ] = "",
    step: Annotated[
        str,
        typer.Option(
            metavar="STEP",
            help="The last step to try: NAME of a pipeline, NAME.N, or NAME.TYPE; "
            "N or TYPE alone where the file has one pipeline. Without it: all, and what goes to the store.",
            show_default=False,
        ),
    ] = "",
    table: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="A lookup table that steps read, from CSV with a header or Parquet; for each one.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole events after each step, as JSON.")] = False,
) -> None:
    """Show what each step of a pipeline makes of a line, without a server or a store.

    Of each step, also of those in the branches that are taken, are shown the fields that it adds (+), changes (~) and
    takes away (-), and why it could not read a line (!). Exit code 1 where an event has a `parse_error` in the end.
    """
    from ..core.runtime import load_checked
    from ..core.runtime.reads import Known
    from ..core.runtime.trial import tried
    from ..plugins import load_plugins
    from .exits import INPUT

    registry = load_plugins()
    config = load_checked(pipeline, registry)
    name, last = _chosen(config, source, step)
    known = Known(_tables(config, registry, name, table or []))
    steps = tried(config, registry, name, _given(lines or []), source, known)
    if last is not None:
        steps = steps[: last + 1]
    if as_json:
        print(json.dumps({"pipeline": name, "steps": [_whole(one) for one in steps]}, ensure_ascii=False, indent=2))
    else:
        _print(name, config, steps)
    if any(event.get("parse_error") is not None for event in steps[-1].events):
        raise typer.Exit(INPUT)


def _chosen(config: Config, source: str, step: str) -> tuple[str, int | None]:
    """The pipeline, and the number of its last step to try; None: all of it.

    :raises InputError: the source or the step is none of the file's, or they are not of one pipeline
    """
    from ..config.errors import nearest
    from .exits import InputError
    from .steps import STORE, edge

    if source and source not in config.sources:
        raise InputError(f"there is no source {source[:60]!r} in the file; {nearest(source, config.sources)}")
    if not step and source:
        return config.pipeline_of(source).name, None
    name, number = edge(config, step)
    if source and config.pipeline_of(source).name != name:
        raise InputError(f"{source} is no source of {name}: use one of {', '.join(config.pipelines[name].from_)}")
    return name, None if number == STORE else number


def _tables(config: Config, registry: Registry, name: str, given: Sequence[str]) -> dict[str, Table]:
    """The lookup tables of the options; those that the pipeline reads and that are not given are told.

    :raises InputError: one is no table, or no step reads it
    """
    from ..config.errors import nearest
    from ..core.query.lookup_files import frame_of
    from ..core.runtime.pipeline import RunningPipeline
    from ..plugins import RejectedError, Table
    from .exits import InputError
    from .output import say

    read = RunningPipeline(config.pipelines[name], registry).tables
    tables = {}
    for option in given:
        named, equals, file = option.partition("=")
        if not equals or named not in read:
            hint = nearest(named, read) if read else f"{name} reads none"
            raise InputError(f"--table {option[:60]!r}: write NAME=FILE with a table that {name} reads; {hint}")
        try:
            tables[named] = Table(frame_of(Path(file).read_bytes()))
        except OSError as why:
            raise InputError(f"{file}: {why.strerror}") from None
        except RejectedError as why:
            raise InputError(f"{file}: {why}") from None
    for missing in sorted(read - tables.keys()):
        say(f"the lookup table {missing} is not given: its step finds nothing; add --table {missing}=FILE")
    return tables


def _given(lines: Sequence[str]) -> list[str]:
    """The lines of the arguments, or of standard input.

    :raises InputError: there is none
    """
    from ..core.runtime.trial import MOST_CHARACTERS
    from .exits import InputError
    from .output import say

    given = list(lines)
    if not given or given == ["-"]:
        if sys.stdin.isatty():
            say("lines, then Ctrl-D:")
        # One byte more than can be tried: the rest need not be read to be refused.
        read = sys.stdin.buffer.read(4 * MOST_CHARACTERS + 1).decode("utf-8", "replace")
        given = [line.removesuffix("\r") for line in read.removesuffix("\n").split("\n")] if read else []
    if not given:
        raise InputError("there is no line to try: give one as an argument, or on standard input")
    return [line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for line in given]


def _whole(step: TriedStep) -> dict[str, Any]:
    """A step as JSON."""
    told: dict[str, Any] = {"type": step.type, "when": step.when, "changed": step.changed}
    if step.counts is not None:
        own = step.counts
        told |= {
            "seen": own.events,
            "passed_by": own.passed_by,
            "failed": own.failed,
            "left_out": own.left_out,
            "branches": [branch.events for branch in own.branches],
        }
    if step.branches:
        told["steps"] = [[_whole(one) for one in branch.steps] for branch in step.branches]
    return told | {"events": step.events}


def _print(name: str, config: Config, steps: Sequence[TriedStep]) -> None:
    show = _printer()
    own: list[Step | None] = [None, *config.pipelines[name].parse, None]
    before: Sequence[Mapping[str, Any]] | None = None
    for number, (step, entry) in enumerate(zip(steps, own, strict=False)):
        _show(show, f"{name}.{number}" if entry else name, step, entry, before)
        before = step.events


def _show(
    show: Callable[[str, str], None],
    number: str,
    step: TriedStep,
    entry: Step | None,
    before: Sequence[Mapping[str, Any]] | None,
) -> None:
    """What a step did; of a route, what the steps of the branches did that were taken, before what it leaves."""
    show(f"{number} {_title(step)}", "bold")
    if entry is not None and step.counts is not None and entry.branches:
        for n, (branch, taken, within) in enumerate(
            zip(entry.branches, step.counts.branches, step.branches, strict=True), 1
        ):
            show(f"  {taken.events} of {step.counts.events} {f'when {branch.when}' if branch.when else 'else'}", "dim")
            for inner, (one, its) in enumerate(zip(within.steps, branch.parse, strict=False), 1):
                _show(show, f"{number}.{n}.{inner}", one, its, one.before)
    if not any(branch.steps for branch in step.branches):
        for mark, text in _lines(before, step.events):
            show(f"  {mark} {text}" if mark else f"  {text}", _MARKS.get(mark, "dim"))
        if before is not None and not step.changed:
            show("  unchanged", "dim")


def _title(step: TriedStep) -> str:
    """What the step is, and what it counted."""
    told = f"{step.type} when {step.when}" if step.when else step.type
    own = step.counts
    if own is None:
        return told
    counted = [
        f"{number} {words}"
        for number, words in (
            (own.passed_by, "not for it"),
            (own.failed, "not read"),
            (own.left_out, "left out"),
        )
        if number
    ]
    return f"{told}: {', '.join(counted)}" if counted else told


def _lines(
    before: Sequence[Mapping[str, Any]] | None, events: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """(mark, text) for what the step did; whole events where there are more or fewer than before."""
    paired = before is not None and len(before) == len(events)
    for number, event in enumerate(events):
        old = before[number] if paired and before is not None else {}
        changes = list(_changes(old, event))
        if changes and (len(events) > 1 or not paired):
            yield "", f"event {number + 1} of {len(events)}"
        yield from changes
    if before and not events:
        yield "", "no event is left"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in new.items():
        if field == "parse_error" and old.get(field) != value:
            yield "!", _value(value) if not isinstance(value, str) else _short(value)
        elif field not in old:
            yield "+", f"{field}: {_value(value)}"
        elif old[field] != value or type(old[field]) is not type(value):
            yield "~", f"{field}: {_value(old[field])} → {_value(value)}"
    yield from (("-", f"{field}: {_value(value)}") for field, value in old.items() if field not in new)


def _value(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _printer() -> Callable[[str, str], None]:
    """Prints a line, in colours on a terminal."""
    from .output import clean, one_line

    def plain(text: str, _: str) -> None:
        print(clean(one_line(text)) if "\n" in text else clean(text))

    if not sys.stdout.isatty():
        return plain
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    return lambda text, style: console.print(Text(clean(text), style))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("try", epilog="""Example: cordwood try pipeline.yaml '{"level": "warn", "msg": "hello"}'""")(try_)
