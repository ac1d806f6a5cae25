"""`cordwood graph`: the way of events through a YAML file, as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ..config import Config, Step


def graph(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file to draw.", show_default=False)],
    format_: Annotated[
        Literal["mermaid", "svg"], typer.Option("--format", help="A Mermaid flowchart, or a picture of its own.")
    ] = "mermaid",
) -> None:
    """Draw a pipeline file: sources, parsers with their conditions, detectors, notifiers, outputs.

    GitHub, GitLab, Notion and editors show a Mermaid flowchart as a picture; so does the page mermaid.live. An SVG is
    a picture already: browsers show it, and so does a page that has it as an image.
    """
    from ..core.runtime import load_checked
    from ..plugins import load_plugins
    from .picture import svg

    config = load_checked(pipeline, load_plugins())
    if format_ == "svg":
        print(svg(config), end="")
    else:
        print("\n".join(mermaid(config)))


def mermaid(config: Config) -> Iterator[str]:
    """The lines of the flowchart. Names of the file are labels only: identifiers are numbers."""
    yield "flowchart LR"
    yield f"  store[({_text('events')})]"
    sources = {name: f"source{i}" for i, name in enumerate(config.sources)}
    for name, entry in config.sources.items():
        yield f"  {sources[name]}([{_text(name, entry.type)}])"
    for i, line in enumerate(config.pipelines.values()):
        drawn = _Steps(f"step{i}_", line.parse)
        if line.parse:
            yield f"  subgraph pipeline{i}[{_text(line.name)}]"
            yield from (f"    {text}" for text in drawn.lines)
            yield "  end"
        for name in line.from_:
            yield f"  {sources[name]} --> {drawn.first or 'store'}"
        yield from (f"  {last} --> store" for last in drawn.last)
    from ..plugins import DetectorConfig, OutputConfig

    notifiers = {name: f"notifier{i}" for i, name in enumerate(config.notifiers)}
    for name, told in config.notifiers.items():
        yield f"  {notifiers[name]}>{_text(name, told.type)}]"
    for i, (name, detector) in enumerate(config.detectors.items()):
        yield f"  detector{i}{{{{{_text(name, detector.type)}}}}}"
        yield f"  store --> detector{i}"
        assert isinstance(detector.config, DetectorConfig)
        yield from (f"  detector{i} --> {notifiers[to]}" for to in detector.config.notify)
    for i, (name, output) in enumerate(config.outputs.items()):
        assert isinstance(output.config, OutputConfig)
        yield f"  output{i}[/{_text(name, output.type, f'when {output.config.when}' if output.config.when else '')}/]"
        yield f"  store --> output{i}"


class _Steps:
    """Steps one after the other: their lines, the identifier of the first, and what leads on from the last."""

    def __init__(self, prefix: str, steps: Sequence[Step]) -> None:
        self.lines: list[str] = []
        self.first = f"{prefix}0" if steps else ""
        self.last: list[str] = []
        for j, step in enumerate(steps):
            id_ = f"{prefix}{j}"
            label = _text(step.type, f"when {step.when}" if step.when else "")
            self.lines.append(f"{id_}{{{label}}}" if step.branches else f"{id_}[{label}]")
            self.lines += [f"{before} --> {id_}" for before in self.last]
            self.last = [id_] if not step.branches else self._branched(id_, step)

    def _branched(self, id_: str, step: Step) -> list[str]:
        """Draw the branches of a route; what leads on from them, and from the route itself past them."""
        ends: list[str] = []
        for k, branch in enumerate(step.branches):
            inner = _Steps(f"{id_}_{k}_", branch.parse)
            self.lines += inner.lines
            arrow = f"{id_} -- {_text(branch.when or 'else')} -->"
            if inner.first:
                self.lines.append(f"{arrow} {inner.first}")
            ends += inner.last or [arrow.removesuffix(" -->")]
        whole = step.when is None and any(branch.when is None for branch in step.branches)
        return ends if whole else [*ends, id_]


def _text(*lines: str) -> str:
    """A label of lines, in which nothing is Mermaid or HTML."""
    escaped = ("".join(letter if letter.isalnum() or letter in " -_.,:/=" else f"#{ord(letter)};" for letter in line)
               for line in lines if line)  # fmt: skip
    return '"' + "<br>".join(escaped) + '"'


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood graph pipeline.yaml --format svg > pipeline.svg")(graph)
