"""Whatever a file holds, it loads or it is told with a line: no other exception comes out."""

from __future__ import annotations

import yaml
from cordwood.config import ConfigErrors, load_text
from cordwood.plugins import ConfigError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

RIGHT = """\
version: 1
include: []
store: {retention: 30d}
sources:
  access: &a {type: tailer, include: [/a, /b], poll: 1m30s, rotation: {keep: 3}}
  other: {<<: *a, include: ["${HOME:-x}"]}
pipelines:
  web:
    from: [access]
    service: nginx
    parse:
      - {type: pattern, pattern: "x", when: "status>=400"}
      - type: pattern
        pattern: |
          a b
    tests: [{input: a line, expect: [{status: 200}]}]
detectors:
  errors: {type: limit, query: "severity>=error", every: 10s, notify: [oncall], severity: warn}
notifiers:
  oncall: {type: pager, url: "https://pager", token: "${TOKEN}"}
"""
ENVIRONMENT = {"TOKEN": "hunter2-correct-horse"}
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ":", "- ", "\n", "  ", "*a", "&b ", "<<: ", "${", "}", "!x ", "|", "'", '"']
)


def loads_or_tells(text, registry, check_query):
    told: tuple[ConfigError, ...] = ()
    try:
        load_text(text, registry, check_query=check_query, environment=ENVIRONMENT)
    except ConfigErrors as why:
        told = why.errors
    assert all(error.line >= 1 and error.column >= 1 and error.message for error in told)
    assert "hunter2" not in "".join(map(str, told))


@given(st.integers(0, len(RIGHT)), st.integers(0, 12), PIECES | st.text(max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@example(0, 0, "\ufeff")
@example(0, 0, "\x00")
@example(0, 0, "? ")
@example(0, 12, "version: 1" + "0" * 5000)
def test_a_right_file_with_a_change(registry, check_query, at, cut, put):
    loads_or_tells(RIGHT[:at] + put + RIGHT[at + cut :], registry, check_query)


NAMES = st.sampled_from(
    [
        "version",
        "include",
        "store",
        "sources",
        "pipelines",
        "detectors",
        "notifiers",
        "reports",
        "recordings",
        "retention",
        "streams",
        "type",
        "from",
        "parse",
        "when",
        "tests",
        "pattern",
        "query",
        "every",
        "notify",
        "url",
        "token",
        "include",
        "tailer",
        "limit",
        "pager",
        "post",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3) | VALUES, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_shape(registry, check_query, tree):
    loads_or_tells(yaml.safe_dump(tree, allow_unicode=True), registry, check_query)
