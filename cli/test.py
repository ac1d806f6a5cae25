"""`cordwood test`: the tests that stand in a pipeline file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def test(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE.yaml", help="The file with tests.", show_default=False)],
) -> None:
    """Run the tests written in a pipeline file, without a store; a diff for each that fails, and exit code 1.

    Says which branches no test takes: both sides of each `when`, and each way through a route.
    """
    from ..core.runtime import load_checked
    from ..core.runtime.taps import StepCounts
    from ..plugins import load_plugins
    from .coverage import Coverage
    from .examples import failures
    from .exits import INPUT
    from .output import say

    registry = load_plugins()
    config = load_checked(pipeline, registry).with_implicit(registry)
    total = failed = 0
    coverage = Coverage()
    for made in config.pipelines.values():
        counts = [StepCounts.of(step) for step in made.parse]
        for number, case in enumerate(made.tests):
            total += 1
            wrong = failures(made, case, config, registry, counts)
            if wrong:
                failed += 1
                name = f" ({case.name})" if case.name else ""
                say("\n".join([f"{pipeline} pipelines.{made.name}.tests[{number}]{name}:", *wrong]))
        if made.tests:
            coverage.add(made.name, made.parse, counts)
    print(f"{total - failed} of {total} tests passed")
    if coverage.all:
        print(f"{coverage.all - len(coverage.missed)} of {coverage.all} branches covered")
    for missed in coverage.missed:
        print(f"not covered: {missed}")
    if failed:
        raise typer.Exit(INPUT)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: cordwood test pipeline.yaml")(test)
