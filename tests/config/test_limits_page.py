"""docs/limits.md: its defaults are those of the code, its settings are all there are, and its YAML loads."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest
from cordwood.cli import web
from cordwood.config import ConfigErrors, Limits, ProjectLimits, limits, load_text, parse_duration, parse_size
from cordwood.core.query import duck, request
from cordwood.core.storage.commit import KEY_HOURS
from cordwood.plugins.hooks import Registry
from cordwood.sources.http import MAX_KEY

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)`(?: ¹)? \| ([^|]+?) \|", PAGE, re.MULTILINE))


def default_of(name: str, text: str) -> Any:
    if text == "none":
        return {} if name == "projects" else None
    if text.replace(",", "").isdigit():
        return int(text.replace(",", ""))
    return parse_duration(text) if name == "burst" else parse_size(text)


def test_doctests() -> None:
    assert doctest.testmod(limits).failed == 0


def test_every_setting_is_there_with_its_default() -> None:
    assert ROWS.keys() == Limits.model_fields.keys()
    for name, field in Limits.model_fields.items():
        assert default_of(name, ROWS[name]) == field.default, name


@pytest.mark.parametrize(
    ("start", "numbers"),
    [
        ("`Idempotency-Key`", [MAX_KEY, KEY_HOURS]),
        ("head of a request", [web.MOST_HEAD >> 10, web.PATIENCE_S]),
        ("pauses of a body that comes", [web.PATIENCE_S, web.SLOWEST]),
        ("a connection without a request", [web.PATIENCE_S, web.IDLE_S]),
        ("rows of an answer", [request.DEFAULT_LIMIT, request.MAX_ROWS]),
        ("rows that can be asked for", [request.MOST_ROWS, duck.ANSWER_BYTES >> 20]),
    ],
)
def test_bounds_are_those_of_the_code(start: str, numbers: list[int]) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {start} |")]
    bound = row.split("|")[2]
    assert [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", bound)] == numbers


def test_the_yaml_of_the_page_loads(registry: Registry) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = load_text(text, registry).limits
    assert found.event_size == 256 * 1024
    own, other = found.of("default"), found.of("other")
    assert (own.daily_bytes, own.bytes_per_second, own.events_per_second) == (10**12, 20_000_000, 50_000)
    assert (other.daily_bytes, other.events_per_second) == (500 * 10**9, None)
    assert isinstance(own, ProjectLimits)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits: {daily_bytes: much}", "no size"),
        ("limits: {depth: 33}", "less than or equal to 32"),
        ("limits: {event_size: 0}", "greater than or equal to 1"),
        ("limits: {evnt_size: 1KiB}", "did you mean event_size"),
        ("limits: {projects: {a: {queries: 2}}}", "no such setting"),
        ("limits: {burst: 5}", "no unit"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str, registry: Registry) -> None:
    with pytest.raises(ConfigErrors) as why:
        load_text(text, registry)
    assert message in str(why.value)
