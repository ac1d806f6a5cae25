"""`${…}` resolves at load, and what it resolves to shows nowhere."""

from __future__ import annotations

import pytest
from cordwood.config import ConfigErrors, load_text

SECRET = "hunter2-correct-horse"


def loaded(text, registry, **environment):
    return load_text(text, registry, environment=environment)


def url_of(config):
    return config.notifiers["n"].config.url


def test_references_resolve(registry, tmp_path):
    (tmp_path / "secret").write_text("from-file\n")
    text = """
notifiers:
  n:
    type: pager
    url: "https://${HOST}:${PORT:-443}/${file:secret}/$${kept}"
    token: ${TOKEN}
    retries: ${RETRIES}
"""
    file = str(tmp_path / "p.yaml")
    config = load_text(text, registry, file=file, environment={"HOST": "h", "TOKEN": "12345", "RETRIES": "7"})
    assert url_of(config) == "https://h:443/from-file/${kept}"
    settings = config.notifiers["n"].config
    assert settings.token.get_secret_value() == "12345"
    assert settings.retries == 7


@pytest.mark.parametrize(("value", "expected"), [("", "https://d"), ("https://set", "https://set")])
def test_a_default_stands_for_an_empty_variable_too(registry, value, expected):
    config = loaded('notifiers: {n: {type: pager, url: "${URL:-https://d}"}}', registry, URL=value)
    assert url_of(config) == expected


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${MISSING}", "the environment variable MISSING is not set"),
        ("${file:/nowhere/secret}", "the file /nowhere/secret cannot be read: No such file or directory"),
        ("${a b}", "holds no name of an environment variable"),
    ],
)
def test_a_reference_that_leads_nowhere_is_one_error(registry, reference, message):
    with pytest.raises(ConfigErrors) as caught:
        loaded(f'notifiers: {{n: {{type: pager, url: "{reference}"}}}}', registry)
    assert len(caught.value.errors) == 1
    assert message in str(caught.value)
    assert (caught.value.errors[0].line, caught.value.errors[0].column) == (1, 35)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('notifiers: {n: {type: pager, url: "${S}"}}', id="a validator quotes it"),
        pytest.param('notifiers: {n: {type: pager, url: "http://explode/${S}"}}', id="a validator fails on it"),
        pytest.param('notifiers: {n: {type: pager, url: http://x, retries: "${S}"}}', id="pydantic refuses it"),
        pytest.param('notifiers: {n: {type: "${S}"}}', id="as a type"),
        pytest.param('sources: {a: {type: tailer, include: [x], start: "${S}"}}', id="as a choice"),
        pytest.param('sources: {a: {type: tailer, include: [x], poll: "${S}"}}', id="as a duration"),
        pytest.param('sources: {a: {type: post}}\npipelines: {p: {from: ["${S}"]}}', id="as a name"),
        pytest.param('detectors: {d: {type: limit, query: x, severity: "${S}"}}', id="as a severity"),
        pytest.param('detectors: {d: {type: limit, query: x, notify: ["${S}"]}}', id="as a notifier"),
        pytest.param(
            'sources: {a: {type: post}}\npipelines: {p: {from: a, parse: [{type: pattern, pattern: "((${S}"}]}}',
            id="a constructor quotes it",
        ),
        pytest.param('detectors: {d: {type: limit, query: "(( ${S}"}}', id="as a query"),
    ],
)
def test_no_error_quotes_what_a_reference_resolved_to(registry, check_query, text):
    with pytest.raises(ConfigErrors) as caught:
        load_text(text, registry, check_query=check_query, environment={"S": SECRET})
    for error in caught.value.errors:
        shown = f"{error} {error!r} {error.message} {error.hint}"
        assert not any(SECRET[i : i + 5] in shown for i in range(len(SECRET) - 4)), shown
        assert error.line


def test_a_secret_written_out_is_not_quoted_either(registry):
    with pytest.raises(ConfigErrors) as caught:
        loaded("notifiers: {n: {type: pager, url: http://x, token: [hunter2]}}", registry)
    assert "hunter2" not in str(caught.value)


def test_neither_the_config_nor_what_pages_show_holds_it(registry):
    text = """
notifiers:
  n: {type: pager, url: "http://user:hunter2@host/${S}/${T:-hunter2}", token: "hunter2"}
  m: {type: pager, url: http://plain, token: "${S}"}
"""
    config = loaded(text, registry, S="hunter2")
    assert "hunter2" not in repr(config)
    assert config.notifiers["n"].shown == {"type": "pager", "url": "http://user:***@host/${S}/${T}", "token": "***"}
    assert config.notifiers["m"].shown == {"type": "pager", "url": "http://plain", "token": "${S}"}


def test_what_is_kept_with_code_has_references_and_no_secret(registry):
    text = f"""
store: {{retention: 30d, place: {{type: shelf, board: x, password: {SECRET}}}}}
notifiers:
  n: {{type: pager, url: "http://user:{SECRET}@host", token: "${{T:-{SECRET}}}"}}
  m-1: {{type: pager, url: "http://$${{kept}}", token: {SECRET}, retries: 3}}
  k: {{type: pager, url: "http://plain", token: "Bearer ${{T}} {SECRET}"}}
maintenance:
  night: {{schedule: "0 2 * * *", duration: 2h, match: {{token: [x]}}}}
"""
    written = loaded(text, registry, T="t").written
    assert SECRET not in repr(written)
    assert written.sections == {
        "notifiers": {
            "n": {"type": "pager", "url": "${NOTIFIERS_N_URL}", "token": "${T}"},
            "m-1": {"type": "pager", "url": "http://$${kept}", "token": "${NOTIFIERS_M_1_TOKEN}", "retries": 3},
            "k": {"type": "pager", "url": "http://plain", "token": "${NOTIFIERS_K_TOKEN}"},
        },
        "maintenance": {"night": {"schedule": "0 2 * * *", "duration": "2h", "match": {"token": ["x"]}}},
        "store": {"retention": "30d"},
    }
    assert written.in_clear == ("notifiers.n.url", "notifiers.m-1.token", "notifiers.k.token")
