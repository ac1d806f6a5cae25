"""Which branches of pipelines their tests take."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Step
from ..core.runtime.taps import StepCounts


class Coverage:
    """Both sides of each `when`, and each way through a route: `all` of them, and those that were `missed`."""

    def __init__(self) -> None:
        self.all = 0
        self.missed: list[str] = []

    def add(self, path: str, steps: Sequence[Step], counts: Sequence[StepCounts]) -> None:
        """Note what these steps have counted. `path` is the pipeline's name, or that of a branch."""
        for number, (step, own) in enumerate(zip(steps, counts, strict=True), 1):
            here = f"{path}.{number} {step.type}"
            if step.when is not None:
                self._note(own.events, f"{here}: no event is found by {step.when}")
                self._note(own.passed_by, f"{here}: every event is found by {step.when}")
            taken = 0
            for n, (branch, inner) in enumerate(zip(step.branches, own.branches, strict=True), 1):
                taken += inner.events
                self._note(inner.events, f"{here}: no event takes {f'when {branch.when}' if branch.when else 'else'}")
                self.add(f"{path}.{number}.{n}", branch.parse, inner.steps)
            if step.branches and all(branch.when for branch in step.branches):
                self._note(own.events - taken, f"{here}: no event is left by all branches")

    def _note(self, events: int, missed: str) -> None:
        self.all += 1
        if not events:
            self.missed.append(missed)
