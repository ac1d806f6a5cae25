"""`cordwood graph`: the way of events through a YAML file, as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..config import Config


def graph(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file to draw.", show_default=False)],
) -> None:
    """Draw a pipeline file as a Mermaid flowchart: sources, parsers with their conditions, detectors, notifiers.

    GitHub, GitLab, Notion and editors show it as a picture; so does the page mermaid.live.
    """
    from ..core.runtime import load_checked
    from ..plugins import load_plugins

    print("\n".join(mermaid(load_checked(pipeline, load_plugins()))))


def mermaid(config: Config) -> Iterator[str]:
    """The lines of the flowchart. Names of the file are labels only: identifiers are numbers."""
    yield "flowchart LR"
    yield f"  store[({_text('events')})]"
    sources = {name: f"source{i}" for i, name in enumerate(config.sources)}
    for name, entry in config.sources.items():
        yield f"  {sources[name]}([{_text(name, entry.type)}])"
    for i, line in enumerate(config.pipelines.values()):
        steps = [f"step{i}_{j}" for j in range(len(line.parse))]
        if steps:
            yield f"  subgraph pipeline{i}[{_text(line.name)}]"
            for id_, step in zip(steps, line.parse, strict=True):
                yield f"    {id_}[{_text(step.type, f'when {step.when}' if step.when else '')}]"
            yield from (f"    {before} --> {after}" for before, after in pairwise(steps))
            yield "  end"
        for name in line.from_:
            yield f"  {sources[name]} --> {steps[0] if steps else 'store'}"
        if steps:
            yield f"  {steps[-1]} --> store"
    from ..plugins import DetectorConfig

    notifiers = {name: f"notifier{i}" for i, name in enumerate(config.notifiers)}
    for name, told in config.notifiers.items():
        yield f"  {notifiers[name]}>{_text(name, told.type)}]"
    for i, (name, detector) in enumerate(config.detectors.items()):
        yield f"  detector{i}{{{{{_text(name, detector.type)}}}}}"
        yield f"  store --> detector{i}"
        assert isinstance(detector.config, DetectorConfig)
        yield from (f"  detector{i} --> {notifiers[to]}" for to in detector.config.notify)


def _text(*lines: str) -> str:
    """A label of lines, in which nothing is Mermaid or HTML."""
    escaped = ("".join(letter if letter.isalnum() or letter in " -_.,:/=" else f"#{ord(letter)};" for letter in line)
               for line in lines if line)  # fmt: skip
    return '"' + "<br>".join(escaped) + '"'


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood graph pipeline.yaml")(graph)
