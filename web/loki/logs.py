"""A selector and its pipeline as a query: what can be is said in the search, the rest in stages.

A label that a parser takes out of the line is made where something behind it names it. Where the event has a field of
that name it stays: Loki would call the parsed one `NAME_extracted`, which is understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

from ...core.query.extract import captures_of_regex, named_as_re2_does
from ...core.query.stages.extend import Extend
from ...core.query.stages.where import Where
from ...core.query.tree import (
    Arithmetic,
    Call,
    Compare,
    Everything,
    Mistake,
    Name,
    Named,
    Node,
    Number,
    Place,
    Query,
    Text,
)  # fmt: skip
from . import tree, values
from .labels import ERROR, STREAM, Labels, label_of
from .templates import template
from .tree import Log, LogQLError, unsupported

AT = Place()
MESSAGE = Name("message")
UNWRAPPED = "_unwrapped"
MOST_PATHS = 8  # ways to read a label of `| json` as a path: a_b is a_b, or b of a
SEGMENT = re.compile(r'\.?([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]')
ANSI = r"\x1b\[[0-9;]*[A-Za-z]"


@dataclass(frozen=True)
class LogPlan:
    """A log query as one of the query language.

    `made` are the columns of parsed labels (label → column), `dropped` and `kept` what the answer shows of all labels.
    """

    query: Query
    labels: Labels
    selected: tuple[str, ...]
    """Labels of the selector."""
    made: dict[str, str] = field(default_factory=dict)
    dropped: tuple[tree.Matcher, ...] = ()
    kept: tuple[tree.Matcher, ...] = ()
    is_unwrapped: bool = False

    def column(self, label: str) -> str:
        """The column of a label."""
        return self.made.get(label) or self.labels.field(label)

    def stream(self) -> list[str]:
        """The labels that tell streams apart."""
        names = [*(label_of(name) for name in STREAM), *self.selected, *self.made]
        return [name for name in dict.fromkeys(names) if self.shows(name)]

    def shows(self, label: str) -> bool:
        """Whether `drop` and `keep` let the label be seen, whatever its value."""
        if any(one.label == label and not one.op for one in self.dropped):
            return False
        return not self.kept or any(one.label == label for one in self.kept)


def plan_log(log: Log, labels: Labels, *, named: Iterable[str] = ()) -> LogPlan:
    """The query of a log query.

    :param named: labels that are asked for behind the pipeline.
    :raises LogQLError: something of it is not supported
    """
    return _Planner(log, labels, frozenset(named)).plan()


def labels_of(test: tree.LabelTest) -> Iterator[str]:
    """The labels that a test names."""
    match test:
        case tree.Both(items=items) | tree.Either(items=items):
            for item in items:
                yield from labels_of(item)
        case _:
            yield test.label


def named_behind(stages: Iterable[tree.LogStage]) -> set[str]:
    """The labels that stages name."""
    found: set[str] = set()
    for stage in stages:
        match stage:
            case tree.LabelFilter(test=test):
                found |= set(labels_of(test))
            case tree.LineFormat(template=text):
                found |= set(re.findall(r"\.([A-Za-z_]\w*)", " ".join(re.findall(r"\{\{.*?\}\}", text, re.DOTALL))))
            case tree.LabelFormat(items=items):
                for item in items:
                    found |= {item.source} if not item.is_template else named_behind([tree.LineFormat(item.source)])
            case tree.Unwrap(label=label):
                found.add(label)
    return found


class _Planner:
    """Goes through the pipeline once. Until the line or a label is made anew, conditions go into the search."""

    def __init__(self, log: Log, labels: Labels, named: frozenset[str]) -> None:
        self.log, self.labels, self.named = log, labels, named
        self.search: list[Node] = [
            values.matcher(test, labels.field(test.label)) for test in log.selector if test.label != "__error__"
        ]
        self.stages: list[Extend | Where] = []
        self.made: dict[str, str] = {}
        self.dropped: list[tree.Matcher] = []
        self.kept: list[tree.Matcher] = []
        self.is_json = self.is_unwrapped = False

    def plan(self) -> LogPlan:
        for i, stage in enumerate(self.log.stages):
            self.add(stage, self.named | named_behind(self.log.stages[i + 1 :]))
        selected = tuple(dict.fromkeys(test.label for test in self.log.selector))
        query = Query(values.all_of(self.search), tuple(self.stages))
        made = {label: column for label, column in self.made.items() if column}
        return LogPlan(query, self.labels, selected, made, tuple(self.dropped), tuple(self.kept), self.is_unwrapped)

    def add(self, stage: tree.LogStage, wanted: set[str] | frozenset[str]) -> None:
        match stage:
            case tree.LineFilter():
                self.keep(values.line_filter(stage))
            case tree.LabelFilter(test=test):
                self.keep(self.label_filter(test))
            case tree.Parser():
                self.parse(stage, wanted)
            case tree.LineFormat(template=text):
                self.extend({MESSAGE.name: template(text, self.label)})
            case tree.LabelFormat(items=items):
                self.label_format(items)
            case tree.Decolorize():
                self.extend({MESSAGE.name: Call("replace", (MESSAGE, values.regex(ANSI), Text("")))})
            case tree.Chosen(kind=kind, labels=chosen):
                (self.dropped if kind == "drop" else self.kept).extend(chosen)
            case tree.Unwrap(label=label, conversion=conversion):
                unit = "bytes" if conversion == "bytes" else "duration" if conversion else ""
                self.extend({UNWRAPPED: values.as_number(Name(self.column(label)), unit)})
                self.keep(Call("isnotnull", (Name(UNWRAPPED),)))
                self.made.pop(label, None)
                self.is_unwrapped = True

    def column(self, label: str) -> str:
        return self.made.get(label) or self.labels.field(label)

    def label(self, label: str) -> Node:
        """A label's value in a template; one that nobody has is empty."""
        if label in self.made or self.labels.is_known(label):
            return Name(self.column(label))
        return Text("")

    def keep(self, condition: Node) -> None:
        if isinstance(condition, Everything):
            return
        is_computed = any(isinstance(node, Call | Compare | Arithmetic) for node in condition.walk())
        if self.stages or is_computed:
            self.stages.append(Where(condition=condition))
        else:
            self.search.append(condition)

    def extend(self, columns: dict[str, Node]) -> None:
        if columns:
            self.stages.append(Extend(columns=tuple(Named(node, name, AT) for name, node in columns.items())))

    def label_filter(self, test: tree.LabelTest) -> Node:
        if any(label in ERROR for label in labels_of(test)):
            return self.error_filter(test)
        return values.label_test(test, self.column)

    def error_filter(self, test: tree.LabelTest) -> Node:
        """`__error__=""`: lines that are no JSON have one behind `| json`; nothing else ever has."""
        if not isinstance(test, tree.Matcher):
            raise unsupported("__error__ beside other labels in one filter", "write it in a filter of its own")
        is_empty = values.fits(test.value, ("",))[0] if test.op in ("=~", "!~") else test.value == ""
        wants_none = is_empty == (test.op in ("=", "=~"))
        if not self.is_json or test.label == "__error_details__":
            return Everything() if wants_none else values.NOTHING
        valid = Call("isnotnull", (Call("json", (MESSAGE, Text("$"))),))
        if test.op == "=" and test.value not in ("", "JSONParserErr"):
            return values.NOTHING
        return valid if wants_none else values.opposite(valid)

    # ---- labels out of the line

    def parse(self, stage: tree.Parser, wanted: set[str] | frozenset[str]) -> None:
        match stage.kind:
            case "json":
                self.is_json = True
                if stage.fields:
                    self.make({one.label: _json(_json_path(one.path)) for one in stage.fields})
                else:
                    self.make({name: _json_of(name) for name in self.parsed(wanted)})
            case "logfmt":
                if stage.fields:
                    self.make({one.label: _logfmt(one.path) for one in stage.fields})
                else:
                    self.make({name: _logfmt(name.removesuffix("_extracted")) for name in self.parsed(wanted)})
            case "regexp":
                self.make(_regexp(stage.text))
            case "pattern":
                pattern, names = values.pattern_regex(stage.text)
                self.make({name: _group(pattern, i) for i, name in enumerate(names, 1)})
            case _:
                raise unsupported(f"| {stage.kind}", "json, logfmt, regexp and pattern are")

    def parsed(self, wanted: set[str] | frozenset[str]) -> list[str]:
        """The labels that a parser without a list is asked for."""
        return sorted(name for name in wanted if name not in ERROR and self.made.get(name, name) == name)

    def make(self, found: dict[str, Node]) -> None:
        columns: dict[str, Node] = {}
        for label, node in found.items():
            before = self.column(label)
            column = before if before == "severity" else label
            is_there = label in self.made or self.labels.is_known(label)
            columns[column] = Call("coalesce", (Name(before), node)) if is_there else node
            self.made[label] = column
        self.extend(columns)

    def label_format(self, items: tuple[tree.Renamed, ...]) -> None:
        columns: dict[str, Node] = {}
        for item in items:
            columns[item.label] = template(item.source, self.label) if item.is_template else self.label(item.source)
            if not item.is_template:
                self.dropped.append(tree.Matcher(item.source, "", ""))
                self.made.pop(item.source, None)
        self.extend(columns)
        self.made |= {item.label: item.label for item in items}


def _json(path: str) -> Node:
    return Call("json", (MESSAGE, Text(path)))


def _json_of(label: str) -> Node:
    """A label of `| json`: nested names are joined by `_`, so it may mean several paths."""
    parts = label.removesuffix("_extracted").split("_")
    seams = len(parts) - 1
    joins = list(product("_.", repeat=seams)) if 2**seams <= MOST_PATHS else [("_",) * seams, (".",) * seams]
    paths = []
    for join in joins:
        text = parts[0] + "".join(seam + part for seam, part in zip(join, parts[1:], strict=True))
        if all(text.split(".")):
            paths.append("$" + "".join(f'."{part}"' for part in text.split(".")))
    made = [_json(path) for path in paths]
    return made[0] if len(made) == 1 else Call("coalesce", tuple(made))


def _json_path(text: str) -> str:
    """The path of `servers[0].name` or `request.headers["User-Agent"]`.

    :raises LogQLError: it is none

    >>> _json_path('request.headers["User-Agent"]'), _json_path("servers[0]")
    ('$."request"."headers"."User-Agent"', '$."servers"[0]')
    """
    made, at = "$", 0
    while at < len(text):
        found = SEGMENT.match(text, at)
        if found is None:
            raise LogQLError(f"{text[:60]!r} is no path in JSON", hint='as in servers[0] or a.b["c d"]')
        name = found[1] if found[1] is not None else found[3]
        made += f"[{found[2]}]" if found[2] is not None else '."' + name.replace('\\"', '"').replace('"', '\\"') + '"'
        at = found.end()
    return made


def _logfmt(key: str) -> Node:
    """`key=value` or `key="value with spaces"`; what a label has as `_` may be another sign in the key."""
    name = "".join(r"[^\sA-Za-z0-9=\"]" if letter == "_" else re.escape(letter) for letter in key)
    quoted = Call("extract", (MESSAGE, values.regex(rf'(?:^|\s){name}="((?:[^"\\]|\\.)*)"')))
    plain = Call("extract", (MESSAGE, values.regex(rf'(?:^|\s){name}=([^"\s]\S*)')))
    return Call("coalesce", (Call("replace", (quoted, Text('\\"'), Text('"'))), plain))


def _group(pattern: str, number: int) -> Node:
    return Call("extract", (MESSAGE, values.regex(pattern), Number(number)))


def _regexp(pattern: str) -> dict[str, Node]:
    values.fits(pattern, ())
    try:
        found = captures_of_regex(named_as_re2_does(pattern), AT)
    except Mistake as why:
        raise LogQLError(f"| regexp: {why.message}", hint="name the groups, as in (?P<status>\\d+)") from None
    return {one.name: _group(pattern, one.place) for one in found}
