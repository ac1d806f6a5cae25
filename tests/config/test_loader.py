"""Every mistake of a file is told at once, at its place, with what to do; a right file becomes a frozen Config."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from textwrap import dedent

import pytest
from cordwood.config import Config, ConfigErrors, load, load_store, load_text
from cordwood.plugins import ConfigError, Registry

WRONG = """\
version: 1
sorces: {}
sources:
  access: {type: tailer, include: [/a], follow: perhaps}
  mqtt: {type: tailr}
  app: {type: tailer}
  slow: {type: tailer, include: [/b], poll: 3 minutes}
pipelines:
  web:
    from: [acces]
    parse:
      - {type: pattern, pattern: "a(b"}
      - {type: pattern, pattern: x, when: "status>=400 (("}
detectors:
  errors: {type: limit, query: x, notify: [oncal]}
notifiers:
  oncall: {type: pager, url: "${PAGER_URL}"}
"""

FOUND = [
    (2, 1, "sorces: there is no such section", "did you mean sources?"),
    (4, 49, "sources.access.follow: must be true or false", ""),
    (5, 16, "sources.mqtt.type: no source of type tailr", "did you mean tailer?"),
    (6, 8, "sources.app: the setting include is missing", ""),
    (7, 45, "sources.slow.poll: '3 minutes' is no duration", "write it like 10s"),
    (10, 12, "pipelines.web.from: there is no source named acces", "did you mean access?"),
    (12, 9, "pipelines.web.parse[0]: a(b is no regular expression: missing )", ""),
    (13, 57, "pipelines.web.parse[1].when: unexpected (", "close it"),
    (15, 44, "detectors.errors.notify: there is no notifier named oncal", "did you mean oncall?"),
    (17, 30, "the environment variable PAGER_URL is not set", "${PAGER_URL:-default}"),
]


def wrong(text: str, registry: Registry, **options: object) -> list[ConfigError]:
    with pytest.raises(ConfigErrors) as caught:
        load_text(dedent(text), registry, **options)  # type: ignore[arg-type]
    return list(caught.value.errors)


def test_all_mistakes_of_a_file_at_once_each_at_its_line_and_column(registry, check_query, tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(WRONG)
    with pytest.raises(ConfigErrors) as caught:
        load(path, registry, check_query=check_query, environment={})
    errors = caught.value.errors
    assert [(e.line, e.column) for e in errors] == [(line, column) for line, column, _, _ in FOUND]
    for error, (line, column, message, hint) in zip(errors, FOUND, strict=True):
        assert message in error.message
        assert hint in f"{error.message} {error.hint}"
        assert str(error).startswith(f"{path}:{line}:{column} ")
    assert str(caught.value).count("\n") == len(FOUND) - 1


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        pytest.param("a: 1\n b: 2\n", 2, 3, "this is no YAML", id="syntax"),
        pytest.param("sources:\n\ta: 1\n", 2, 1, "this is no YAML", id="tab"),
        pytest.param("- a\n", 1, 1, "a file is a mapping with sections, not a list", id="list"),
        pytest.param("version: 2\n", 1, 10, "version: must be 1, not 2", id="version"),
        pytest.param("sources: [a]\n", 1, 10, "sources: must be a mapping of names, not a list", id="section"),
        pytest.param("sources: {a: 5}\n", 1, 14, "sources.a: must be a mapping with a type, not a number", id="entry"),
        pytest.param("sources: {a: {}}\n", 1, 14, "sources.a: the setting type is missing", id="no type"),
        pytest.param("sources: {a: {type: [x]}}\n", 1, 21, "sources.a.type: must be text, not a list", id="odd type"),
        pytest.param("pipelines: {a: {}}\n", 1, 16, "pipelines.a: the setting from is missing", id="no from"),
        pytest.param("pipelines: {a: [b]}\n", 1, 16, "pipelines.a: must be a mapping, not a list", id="pipeline"),
        pytest.param("templates: {w: {}}\n", 1, 1, "templates: templates are not in this version", id="templates"),
        pytest.param(
            "reports: {w: {dashboard: d}}\n", 1, 14, "reports.w: the setting schedule is missing", id="report"
        ),
        pytest.param(
            "reports: {w: {dashboard: d, schedule: 61 * * * *}}\n", 1, 39, "is no schedule (Bad minute)", id="schedule"
        ),
        pytest.param("reports: {w: {dashboard: d, schedule: 0 0 * 2 1#5}}\n", 1, 39, "never comes about", id="never"),
        pytest.param(
            "reports: {w: {dashboard: d, schedule: 0 0 * * *, timezone: Mars}}\n", 1, 60, "is no time zone", id="zone"
        ),
        pytest.param(
            "reports: {w: {dashboard: d, schedule: 0 0 * * *, notify: x}}\n",
            1,
            58,
            "reports.w.notify: there is no notifier named x",
            id="report's notifier",
        ),
        pytest.param("store: {retention: 30}\n", 1, 20, "store.retention: 30 has no unit", id="retention"),
        pytest.param("store: {retention: 0s}\n", 1, 20, "store.retention: nothing would be kept", id="no time"),
        pytest.param("store: {streams: {a: {}}}\n", 1, 22, "store.streams.a: the setting retention is", id="stream"),
        pytest.param("store: {max_bytes: 1KB}\n", 1, 20, "store.max_bytes: must be greater", id="max_bytes"),
        pytest.param("store: {retentoin: 30d}\n", 1, 9, "store.retentoin: there is no such setting", id="store key"),
        pytest.param("store: {place: [a]}\n", 1, 16, "a name, or a mapping with a type, not a list", id="place list"),
        pytest.param("store: {places: [a]}\n", 1, 17, "store.places: must be a mapping of names", id="places list"),
        pytest.param("store: {place: shelf}\n", 1, 16, "no place named shelf; there is postgresql", id="place name"),
        pytest.param("store: {place: {type: shelf}}\n", 1, 16, "store.place: the setting board is missing", id="place"),
        pytest.param(
            "store: {places: {a: {type: shelf, board: 1x}}}\n", 1, 42, "store.places.a.board: ", id="place setting"
        ),
        pytest.param("store: {places: {postgresql: {type: shelf, board: x}}}\n", 1, 18, "is taken", id="place taken"),
        pytest.param(
            "store: {place: {type: shelf, board: x}, places: {shelf: {type: shelf, board: y}}}\n",
            1,
            16,
            "there is a place named shelf under store.places already",
            id="place twice",
        ),
        pytest.param("sources: {a: {type: post}, a: {type: post}}\n", 1, 28, "a stands here twice", id="twice"),
        pytest.param("? {a: b}\n: c\n", 1, 3, "a key must be a name", id="odd key"),
        pytest.param("sources: {a: !env X}\n", 1, 14, "the tag !env is not known", id="tag"),
        pytest.param("include: [nowhere.yaml]\n", 1, 11, "nowhere.yaml cannot be read", id="include"),
        pytest.param(
            "sources: {a: {type: kafka}}\n", 1, 21, "ImportError: no module named aiokafka", id="broken plugin"
        ),
        pytest.param(
            "notifiers: {a: {type: pager, url: http://explode}}\n", 1, 16, "the notifier pager failed", id="defect"
        ),
        pytest.param(
            "sources: {a: {type: tailer, include: [x], rotation: {kep: 1}}}\n", 1, 54, "rotation.kep", id="nested"
        ),
        pytest.param(
            "notifiers: {a: {type: pager, url: http://x, timeout: {}}}\n", 1, 54, "must be a number", id="union"
        ),
        pytest.param(
            "sources: {a: {type: post}}\npipelines: {p: {from: a}, q: {from: [a]}}\n",
            2,
            38,
            "the source a feeds the pipeline p already",
            id="two pipelines",
        ),
        pytest.param("pipelines: {p: {from: [{}]}}\n", 1, 24, "must be text", id="a source that is no name"),
        pytest.param(
            "sources: {a: {type: post}}\npipelines: {p: {from: a, parse: [{type: pattern, pattern: x, when: 5}]}}\n",
            2,
            68,
            "when: must be a search, as text, not a number",
            id="when",
        ),
        pytest.param(
            "sources: {a: {type: post}}\npipelines: {p: {from: a, parse: [{type: patern}]}}\n",
            2,
            41,
            "no parser of type patern; did you mean pattern?",
            id="parser",
        ),
    ],
)
def test_a_mistake(registry, text, line, column, message):
    errors = wrong(text, registry)
    assert [(e.line, e.column) for e in errors] == [(line, column)]
    assert message in str(errors[0])


@pytest.mark.parametrize(
    ("text", "current", "known"),
    [
        ("store: {retention: 1d}\n", "postgresql", {}),
        ("store: {place: {type: shelf, board: x}}\n", "shelf", {"shelf": "x"}),
        (
            "store: {place: b, places: {a: {type: shelf, board: x}, b: {type: shelf, board: y}}}\n",
            "b",
            {"a": "x", "b": "y"},
        ),
        ("store: {place: postgresql, places: {a: {type: shelf, board: x}}}\n", "postgresql", {"a": "x"}),
    ],
)
def test_places(registry, text, current, known):
    config = load_text(text, registry)
    assert config.place == current
    assert {name: entry.config.board for name, entry in config.places.items()} == known


def test_only_the_store_section_matters(registry, tmp_path):
    path = tmp_path / "cordwood.yaml"
    rest = "sources: {a: {type: nowhere}}\nnotifiers: {p: {type: pager, url: '${NOT_SET}'}}\nlimits: [x]\n"
    path.write_text(f"store: {{place: {{type: shelf, board: '${{BOARD}}'}}}}\n{rest}")
    config = load_store(path, registry, environment={"BOARD": "oak"})
    assert (config.place, config.places["shelf"].config.board, config.sources) == ("shelf", "oak", {})
    with pytest.raises(ConfigErrors) as caught:
        load_store(path, registry, environment={})
    assert [(e.line, e.column, e.message) for e in caught.value.errors] == [
        (1, 37, "the environment variable BOARD is not set")
    ]
    path.write_text(f"store: {{plaice: x}}\n{rest}")
    with pytest.raises(ConfigErrors, match=r"store\.plaice: there is no such setting; did you mean place"):
        load_store(path, registry)
    path.write_text(f"include: nowhere.yaml\n{rest}")
    with pytest.raises(ConfigErrors, match=r"nowhere\.yaml cannot be read"):
        load_store(path, registry)
    path.write_text(rest)
    assert load_store(path, registry).place == "postgresql"
    path.write_text(f"{rest}\n\tx")
    with pytest.raises(ConfigErrors, match="this is no YAML"):
        load_store(path, registry)
    with pytest.raises(ConfigErrors, match="cannot be read"):
        load_store(tmp_path / "none", registry)


def test_a_places_secret_is_not_shown(registry):
    text = "store: {place: {type: shelf, board: x, password: hush}}\n"
    config = load_text(text, registry)
    assert config.places["shelf"].shown == {"type": "shelf", "board": "x", "password": "***"}
    assert "hush" not in repr(config)


def test_a_wrong_name_does_not_hide_what_the_constructor_says(registry):
    text = 'sources: {a: {type: post}}\npipelines: {p: {from: a, parse: [{type: pattern, pattern: "a(", patern: x}]}}\n'
    assert [(e.line, e.column) for e in wrong(text, registry)] == [(2, 34), (2, 65)]


def test_an_error_of_the_constructor_that_names_a_setting_points_at_it(registry):
    text = 'sources: {a: {type: post}}\npipelines: {p: {from: a, parse: [{type: pattern, pattern: "setting("}]}}\n'
    (error,) = wrong(text, registry)
    assert (error.line, error.column) == (2, 59)
    assert error.message == "pipelines.p.parse[0].pattern: is refused"


def test_an_unquoted_reference_in_a_flow_mapping_says_to_quote_it(registry):
    (error,) = wrong("notifiers: {a: {type: pager, url: ${URL}}}\n", registry)
    assert "quotes" in str(error)


def test_a_file_that_is_not_there(registry, tmp_path):
    with pytest.raises(ConfigErrors, match=r"absent\.yaml cannot be read: No such file"):
        load(tmp_path / "absent.yaml", registry)


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        pytest.param('"a (("', 7, 19, id="quoted"),
        pytest.param("a ((", 7, 18, id="plain"),
        pytest.param("|\n            first\n            a ((", 9, 16, id="block"),
        pytest.param(">\n            first\n            a ((", 7, 15, id="folded: its beginning"),
    ],
)
def test_the_place_within_a_query(registry, check_query, when, line, column):
    text = f"""\
sources: {{a: {{type: post}}}}
pipelines:
  p:
    from: a
    parse:
      - type: pattern
        when: {when}
        pattern: x
"""
    (error,) = wrong(text, registry, check_query=check_query)
    assert (error.line, error.column) == (line, column)


def test_yaml_words_of_old_are_text_and_keys_are_names(registry):
    config = load_text("sources: {on: {type: tailer, include: [yes, 12:30, no]}, 5: {type: post}}", registry)
    assert list(config.sources) == ["on", "5"]
    assert config.sources["on"].config.include == ["yes", "12:30", "no"]  # type: ignore[attr-defined]


def test_anchors_and_merge_keys(registry):
    config = load_text(
        dedent("""\
            sources:
              a: &base {type: tailer, include: [x], buffer: 10MiB}
              b: {<<: *base, include: [y]}
            """),
        registry,
    )
    assert config.sources["b"].config == config.sources["a"].config.model_copy(update={"include": ["y"]})
    assert config.sources["a"].config.buffer == 10 * 2**20  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sources: &a {b: *a}\n", id="endless"),
        pytest.param(
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)),
            id="billion laughs",
        ),
    ],
)
def test_aliases_cannot_explode(registry, text):
    assert any("aliases" in str(error) for error in wrong(text, registry))


def test_a_right_file(registry, check_query):
    config = load_text(
        dedent("""\
            version: 1
            store: {retention: 30d}
            sources:
              access: {type: tailer, include: [/a], poll: 1m30s}
              other: {type: post}
            pipelines:
              web:
                from: access
                service: nginx
                parse:
                  - {type: pattern, pattern: "x", when: "status>=400"}
                tests:
                  - {input: a line, expect: [{status: 200}]}
            detectors:
              errors: {type: limit, query: "severity>=error", every: 10s, notify: [oncall]}
            notifiers:
              oncall: {type: pager, url: "https://pager"}
            """),
        registry,
        check_query=check_query,
    )
    assert config.store.retention == timedelta(days=30)
    assert config.sources["access"].config.poll == timedelta(seconds=90)  # type: ignore[attr-defined]
    assert config.pipelines["web"].from_ == ("access",)
    assert config.pipelines["web"].service == "nginx"
    assert config.pipelines["web"].parse[0].when == "status>=400"
    assert config.pipelines["web"].tests[0].input == "a line"
    assert config.pipelines["default"].from_ == ("other",)
    assert config.pipeline_of("access").name == "web"
    assert config.pipeline_of("other").name == "default"
    assert config.detectors["errors"].config.notify == ["oncall"]  # type: ignore[attr-defined]
    assert config.notifiers["oncall"].make().type == "pager"
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.sources = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.sources["x"] = config.sources["other"]  # type: ignore[index]


def test_without_a_file_the_http_sources_run_that_need_no_settings(registry):
    config = Config.default(registry)
    assert list(config.sources) == ["post"]
    assert config.sources["post"].implicit
    assert config.pipelines["default"].from_ == ("post",)


def test_http_sources_that_the_file_does_not_name_run_beside_it(registry):
    config = load_text("sources: {post: {type: tailer, include: [x]}}", registry).with_implicit(registry)
    assert config.sources["post"].type == "tailer"
    assert config.sources["post-default"].type == "post"
    assert config.pipelines["default"].from_ == ("post", "post-default")
    named = load_text("sources: {mine: {type: post}}", registry).with_implicit(registry)
    assert list(named.sources) == ["mine"]


def test_a_pipeline_named_default_takes_what_no_other_reads(registry):
    text = "sources: {a: {type: tailer, include: [x]}}\npipelines: {default: {service: web}}\n"
    config = load_text(text, registry).with_implicit(registry)
    assert config.pipelines["default"].from_ == ("a", "post")
    assert config.pipelines["default"].service == "web"


def test_includes_are_merged(registry, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "web.yaml").write_text("sources: {web: {type: post}}\n")
    (tmp_path / "parts" / "app.yaml").write_text("sources: {app: {type: tailer, include: [x]}}\n")
    (tmp_path / "main.yaml").write_text("include: ['parts/*.yaml']\npipelines: {p: {from: [web, app]}}\n")
    config = load(tmp_path / "main.yaml", registry)
    assert set(config.sources) == {"web", "app"}
    assert config.files[0] == str(tmp_path / "main.yaml")
    assert len(config.files) == 3


def test_a_name_in_two_files_and_errors_in_the_included_one(registry, tmp_path):
    (tmp_path / "more.yaml").write_text("sources:\n  a: {type: post}\n  b: {type: pots}\n")
    (tmp_path / "main.yaml").write_text("include: more.yaml\nsources: {a: {type: post}}\n")
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path / "main.yaml", registry)
    assert [(e.file, e.line, e.column) for e in caught.value.errors] == [
        (str(tmp_path / "more.yaml"), 2, 3),
        (str(tmp_path / "more.yaml"), 3, 13),
    ]
    assert "main.yaml:2" in str(caught.value.errors[0])


def test_a_file_that_includes_itself(registry, tmp_path):
    (tmp_path / "main.yaml").write_text("include: [main.yaml]\n")
    with pytest.raises(ConfigErrors, match="includes itself"):
        load(tmp_path / "main.yaml", registry)


def test_an_empty_file_is_a_configuration(registry):
    assert load_text("", registry).sources == {}
    assert load_text("sources:\npipelines:\n", registry).pipelines == {}
