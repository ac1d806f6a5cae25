"""Metrics as they are declared: what is shown under `/metrics`, and what `docs/metrics.md` says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Declared:
    """A metric. Its name holds its unit; that of a counter gets `_total` behind it."""

    name: str
    kind: Literal["counter", "gauge"]
    about: str
    labels: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name that Prometheus sees."""
        return f"{self.name}_total" if self.kind == "counter" else self.name
