"""A table of lines and the fields that Logstash's patterns take from them: `grok/lines.txt`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cordwood.parsers.grok import Grok, GrokConfig
from cordwood.plugins import Batch

TABLE = Path(__file__).parent / "grok" / "lines.txt"
ARRIVAL = 1768471200_000_000_000


@dataclass
class Group:
    """A pattern, and its lines with what should be found; None: it does not match."""

    pattern: str
    lines: list[str] = field(default_factory=list)
    expected: list[dict[str, str] | None] = field(default_factory=list)


def groups() -> Iterator[Group]:
    group = Group("")
    for row in TABLE.read_text().splitlines():
        if row.startswith("== ") and "⇥" not in row:
            if group.lines:
                yield group
            group = Group(row[3:])
        elif row and not row.startswith("#"):
            line, *fields = row.split(" ⇥ ")
            line = line.replace("\\t", "\t").replace("\\n", "\n")
            group.lines.append(line)
            group.expected.append(
                None
                if fields == ["-"]
                else {"x": line}
                if fields == ["="]
                else dict(one.partition("=")[::2] for one in fields)
            )
    yield group


GROUPS = list(groups())


@pytest.mark.parametrize("group", GROUPS, ids=[group.pattern for group in GROUPS])
def test_a_pattern_takes_what_the_table_says(group: Group) -> None:
    parsed = Grok(GrokConfig(pattern=group.pattern)).parse(Batch.from_lines(group.lines, observed=ARRIVAL)).events()
    for line, wanted, event in zip(group.lines, group.expected, parsed, strict=True):
        assert (event.get("parse_error") is None) == (wanted is not None), line
        if wanted is None:
            continue
        if event["message"] == line and "message" not in wanted:
            del event["message"]
        if event["timestamp"] == event.pop("observed_timestamp"):
            del event["timestamp"]
        others = wanted.pop("…", None) is not None
        found = {name: str(value) for name, value in event.items() if name != "severity_text"}
        if "timestamp" in wanted:
            wanted["timestamp"] = normal(wanted["timestamp"])
        assert {name: found.get(name) for name in wanted} == wanted, line
        assert others or found.keys() == wanted.keys(), line


def normal(time: str) -> str:
    """A time as events show it."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}.{fraction.ljust(9, '0')}Z"


def test_the_table_is_long_enough() -> None:
    """Lines that match: those that must not come on top."""
    assert sum(wanted is not None for group in GROUPS for wanted in group.expected) >= 300
