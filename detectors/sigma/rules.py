"""Rules read from files, converted, or listed with the reason why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldMappingTransformation

from .backend import CordwoodBackend

MOST_RULES: Final = 2_000
MOST_BYTES: Final = 1 << 20  # of a file
SEVERITIES: Final = {"informational": "info", "low": "info", "medium": "warn", "high": "error", "critical": "fatal"}
LEVELS: Final = tuple(SEVERITIES)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that can be asked: `search` is a query that gives the events it means."""

    title: str
    id: str
    level: str
    search: str
    tags: tuple[str, ...] = ()
    path: str = ""

    @property
    def severity(self) -> str:
        """Its level as a severity."""
        return SEVERITIES[self.level]


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A rule that cannot be asked, and why."""

    path: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the rules' names become ours: fields, and for a log source the search for its events."""

    fields: Mapping[str, str]
    sources: Mapping[str, str]
    pipelines: Sequence[str] = ()


def read_rules(path: Path, mapped: Mapped) -> tuple[list[Rule], list[Unsupported]]:
    """The rules of a file, or of all YAML files of a folder, by path.

    :raises OSError: it cannot be read
    :raises ValueError: a pipeline is none, or there are too many rules
    """
    files = sorted(file for file in path.rglob("*") if file.suffix in (".yml", ".yaml")) if path.is_dir() else [path]
    backend = CordwoodBackend(_pipeline(mapped))
    rules: list[Rule] = []
    unsupported: list[Unsupported] = []
    for file in files:
        for found in _converted(file, backend, mapped):
            if isinstance(found, Rule):
                rules.append(found)
            else:
                unsupported.append(found)
            if len(rules) + len(unsupported) > MOST_RULES:
                raise ValueError(f"{path} has more than {MOST_RULES:,} rules; take several detectors")
    return rules, unsupported


def _pipeline(mapped: Mapped) -> ProcessingPipeline:
    pipeline = ProcessingPipeline()
    for name in mapped.pipelines:
        pipeline += ProcessingPipeline.from_yaml(Path(name).read_text(encoding="utf-8"))
    if mapped.fields:
        names: dict[str | None, str | list[str]] = {name: to for name, to in mapped.fields.items()}  # noqa: C416 - invariant
        pipeline += ProcessingPipeline(items=[ProcessingItem(FieldMappingTransformation(names))])
    return pipeline


def _converted(file: Path, backend: CordwoodBackend, mapped: Mapped) -> Iterator[Rule | Unsupported]:
    if file.stat().st_size > MOST_BYTES:
        yield Unsupported(str(file), "", f"the file is larger than {MOST_BYTES >> 20} MiB")
        return
    try:
        documents = [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as why:
        yield Unsupported(str(file), "", f"no YAML: {str(why).partition(chr(10))[0]}")
        return
    for document in documents:
        title = str(document.get("title", ""))[:200] if isinstance(document, dict) else ""
        try:
            yield _rule(document, file, title, backend, mapped)
        except (SigmaError, NotImplementedError, ValueError, TypeError, KeyError) as why:
            yield Unsupported(str(file), title, _words(why))


def _rule(document: Any, file: Path, title: str, backend: CordwoodBackend, mapped: Mapped) -> Rule:
    if not isinstance(document, dict):
        raise ValueError("no rule: a rule is a mapping with title, logsource and detection")
    if "correlation" in document:
        raise ValueError("a correlation of rules; use a `threshold` or a `correlation` over their searches")
    collection = SigmaCollection.from_dicts([document])
    rule = collection.rules[0]
    if isinstance(rule, SigmaCorrelationRule):
        raise ValueError("a correlation of rules")
    queries = backend.convert(collection)
    if len(queries) != 1:
        raise ValueError(f"it has {len(queries)} conditions; make a rule of each")
    level = rule.level.name.lower() if rule.level is not None else "medium"
    search = _within(str(queries[0]), [source for name, source in mapped.sources.items() if _is_of(rule, name)])
    return Rule(title, str(rule.id or ""), level, search, tuple(map(str, rule.tags)), str(file))


def _is_of(rule: Any, name: str) -> bool:
    """Whether a rule is for a log source: `windows`, or `windows/process_creation`, each any of its three words."""
    logsource = rule.logsource
    words = {logsource.product, logsource.category, logsource.service}
    return set(name.split("/")) <= words


def _within(search: str, sources: Sequence[str]) -> str:
    """The search narrowed to a source's events."""
    if not sources:
        return search
    before = " ".join(f"({source})" for source in sources)
    return f"{before} {search[1:].lstrip()}" if search.startswith("* |") else f"{before} ({search})"


def _words(why: Exception) -> str:
    """The first line, without the name of the rule, which stands beside it."""
    said = re.sub(r" \(while converting rule .*\)$", "", str(why).partition("\n")[0])
    return (said or type(why).__name__)[:300]


__all__ = ["LEVELS", "Mapped", "Rule", "Unsupported", "read_rules"]
