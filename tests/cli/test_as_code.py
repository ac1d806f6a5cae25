"""`cordwood export` and `cordwood apply` between two real servers."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cordwood.cli.code import node
from cordwood.cli.code.files import file_names, to_yaml
from cordwood.cli.code.folder import read, write
from cordwood.config.tree import parse_yaml
from cordwood.plugins import ConfigError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ..conftest import data_folder, furnish
from .conftest import COMMAND, Cordwood, Done

WRITABLE = st.characters(codec="utf-8")
ADMIN = {"CORDWOOD_ADMIN_EMAIL": "ann@example.org", "CORDWOOD_ADMIN_PASSWORD": "correct horse battery"}
SECRETS = {"SLACK_TOKEN": "xoxb-very-secret", "NOTIFIERS_MAIL_URL": "http://127.0.0.1:9/hidden"}
CONFIG = """\
version: 1
store: {retention: 30d, streams: {debug: {retention: 3d}}}
detectors:
  errors:
    type: threshold
    query: |
      severity>=error
      | stats count() as n by service
    condition: n > 50
    window: 5m
    every: 1m
    notify: [oncall]
notifiers:
  oncall: {type: slack, token: "${SLACK_TOKEN:-xoxb-default}", channel: "#ops"}
  mail: {type: webhook, url: "http://127.0.0.1:9/hidden"}
routes:
  zulu: {detectors: [errors], notify: [mail]}
  alpha: {notify: [oncall]}
maintenance:
  night: {schedule: "0 2 * * SUN", duration: 2h}
reports:
  weekly: {schedule: "0 8 * * MON", dashboard: overview, notify: [mail]}
"""
DASHBOARD = {
    "name": "shop",
    "title": "Shop: “yes” & no",
    "description": "two\nlines",
    "refresh": "30s",
    "panels": [
        {
            "id": "failed",
            "title": "Failed",
            "kind": "number",
            "position": {"x": 0, "y": 0, "w": 6, "h": 4},
            "query": "`failed requests`(web) | stats count()",
            "options": {"thresholds": [{"at": 5.5, "level": "error"}]},
        }
    ],
}
ERRORS_OF = {"name": "of", "text": "service:$service", "parameters": [{"name": "service", "default": None}]}
FAILED = {
    "name": "failed requests",
    "text": "`of`($service) status>=500",
    "parameters": [{"name": "service", "default": '"web"'}],
}
ROLE = {
    "name": "support",
    "permissions": ["query"],
    "search": "service:checkout",
    "masks": [{"field": "user", "how": "hash"}],
}
NOW = datetime.now(UTC).replace(microsecond=250_000)
SILENCE = {
    "from": (NOW - timedelta(hours=1)).isoformat(),
    "until": (NOW + timedelta(days=1)).isoformat(),
    "reason": "the database moves",
    "match": {"service": ["pay"]},
    "recurring": {"schedule": "0 2 * * *", "duration": "90m"},
}


class Installation(Cordwood):
    """A server as a process, the command that speaks to it, and its API."""

    def __init__(self, folder: Path, cluster: Path, config: Path) -> None:
        super().__init__(folder)
        folder.chmod(0o755)
        furnish(folder, cluster)
        self._log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [str(COMMAND), "up", str(config), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self.environment(ADMIN | SECRETS),
            text=True,
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        assert ready, (folder / "log").read_text()
        self.url = ready.split()[-1]
        self.token = self._token()

    def _token(self) -> str:
        """A token that may read and change everything, made by the first administrator."""
        who = {"email": ADMIN["CORDWOOD_ADMIN_EMAIL"], "password": ADMIN["CORDWOOD_ADMIN_PASSWORD"]}
        kind = {"Content-Type": "application/json"}
        signing_in = urllib.request.Request(f"{self.url}/api/v1/session", json.dumps(who).encode(), kind)
        with urllib.request.urlopen(signing_in) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        body = json.dumps({"name": "deploy", "scopes": ["query", "admin"]}).encode()
        making = urllib.request.Request(f"{self.url}/api/v1/tokens", body, kind | {"Cookie": cookie})
        with urllib.request.urlopen(making) as answer:
            return str(json.load(answer)["secret"])

    def __call__(self, *arguments: str, **more: Any) -> Done:
        return super().__call__(*arguments, env={"CORDWOOD_TOKEN": self.token}, **more)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer; an error status is raised."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def audited(self) -> int:
        """Entries of the audit log."""
        return int(self.api("POST", "/api/v1/query", {"query": "from audit | stats count() as n"})["rows"][0][0])

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        shutil.rmtree(self.data_dir, ignore_errors=True)


@pytest.fixture(scope="module")
def exported(cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Path]]:
    """An installation that people have furnished, and the folder of its export."""
    base = tmp_path_factory.mktemp("code")
    (base / "own.yaml").write_text(CONFIG)
    with data_folder() as folder:
        first = Installation(folder, cluster, base / "own.yaml")
        first.api("PUT", "/api/v1/lookups/owners", b'service,team,since\npay,"a ""b""",2024\nweb,,2025\n')
        first.api("POST", "/api/v1/saved-queries", ERRORS_OF)
        first.api("POST", "/api/v1/saved-queries", FAILED)
        first.api("POST", "/api/v1/patterns", {"patterns": ["VM Started", "VM Stopped"], "name": "machine states"})
        first.api("POST", "/api/v1/dashboards", DASHBOARD)
        first.api("POST", "/api/v1/roles", ROLE)
        first.api("POST", "/api/v1/users", {"email": "ci-bot", "role": "support", "service": True})
        first.api("POST", "/api/v1/silences", SILENCE)
        done = first("export", str(base / "out"))
        assert done.code == 0, done.err
        yield first, base / "out"
        first.stop()


@pytest.fixture(scope="module")
def second(exported: tuple[Installation, Path], cluster: Path) -> Iterator[Installation]:
    """An empty installation that runs with the exported sections of the other one's node."""
    with data_folder() as folder:
        made = Installation(folder, cluster, exported[1] / "cordwood.yaml")
        yield made
        made.stop()


def texts(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_empty_installation_becomes_the_same(
    exported: tuple[Installation, Path], second: Installation, tmp_path: Path
) -> None:
    first, folder = exported
    files = texts(folder)
    assert not [name for name, data in files.items() if b"xoxb" in data or b"hidden" in data]
    assert b"token: ${SLACK_TOKEN}" in files["node/notifiers/oncall.yaml"]
    planned = second("apply", str(folder), "--dry-run")
    assert planned.code == 1
    assert f"create {folder}/dashboards/shop.yaml" in planned.lines
    done = second("apply", str(folder))
    assert (done.code, done.lines[-1]) == (0, "8 changed, 0 were so already"), done
    before = second.audited()
    again = second("apply", str(folder), "--prune")
    assert (again.code, again.out, again.err) == (0, "0 changed, 8 were so already\n", "")
    assert second.audited() == before
    assert second.api("GET", "/api/v1/lookups")["items"][0]["version"] == 1
    assert second("export", str(tmp_path / "out")).code == 0
    assert texts(tmp_path / "out") == files
    for path in ("dashboards/shop", "saved-queries/failed%20requests", "roles/support", "configuration"):
        both = [one.api("GET", f"/api/v1/{path}") for one in (first, second)]
        for found in both:
            for story in ("created_at", "created_by", "changed_at", "changed_by", "files", "in_clear"):
                found.pop(story, None)
        assert both[0] == both[1]


def test_drift_is_shown_and_mended(exported: tuple[Installation, Path], tmp_path: Path) -> None:
    first, folder = exported
    shutil.copytree(folder, tmp_path / "in")
    role, detector = tmp_path / "in/roles/support.yaml", tmp_path / "in/node/detectors/errors.yaml"
    role.write_text(role.read_text().replace("service:checkout", "service:pay"))
    detector.write_text(detector.read_text().replace("n > 50", "n > 60"))
    (tmp_path / "in/saved-queries/of.yaml").unlink()
    planned = first("apply", str(tmp_path / "in"), "--dry-run")
    assert planned.code == 1
    assert "  -search: service:checkout" in planned.lines
    assert "  +search: service:pay" in planned.lines
    assert "  +    condition: n > 60" in planned.lines
    assert "in no file: saved-queries of (--prune deletes it)" in planned.lines
    asked = first("apply", str(tmp_path / "in"), "--prune")
    assert asked.code == 1
    assert "to delete: saved-queries of" in asked.err
    assert "--yes" in asked.err
    assert first.api("GET", "/api/v1/roles/support")["search"] == "service:checkout"
    done = first("apply", str(tmp_path / "in"), "--prune", "--yes")
    assert (done.code, done.lines) == (
        1,
        [f"changed {role}", "deleted saved-queries of", "2 changed, 6 were so already"],
    )
    assert f"differs: {detector}; this is changed in the node's own file" in done.err
    assert first.api("GET", "/api/v1/roles/support")["search"] == "service:pay"
    first.api("PUT", "/api/v1/roles/support", {name: value for name, value in ROLE.items() if name != "name"})
    first.api("POST", "/api/v1/saved-queries", ERRORS_OF)


def test_mistakes_are_told_with_file_line_and_field(exported: tuple[Installation, Path], tmp_path: Path) -> None:
    first, folder = exported
    shutil.copytree(folder, tmp_path / "in")
    root = tmp_path / "in"
    dashboard, role = root / "dashboards/shop.yaml", root / "roles/support.yaml"
    dashboard.write_text(dashboard.read_text().replace("kind: number", "kind: nombre"))
    role.write_text(role.read_text() + "serach: x\n")
    (root / "node/detectors/more.yaml").write_text("sources: {}\n")
    (root / "lookups/owners.csv").write_text("service,team,since\npay,a,soon\n")
    told = first("apply", str(root))
    assert told.code == 1
    assert f"{dashboard}:10:9 panels[0].kind: Invalid enum value 'nombre'" in told.err
    assert f"{role}:8:1 serach: there is no such field; did you mean search?" in told.err
    assert f"{root}/node/detectors/more.yaml:1:1 sources: no section that is kept here" in told.err
    assert f"{root}/lookups/owners.yaml:2:7 data: {root}/lookups/owners.csv is no such table" in told.err
    shutil.rmtree(root)
    shutil.copytree(folder, root)
    dashboard.write_text(dashboard.read_text().replace("stats count()", "stats cuont()"))
    query = root / "saved-queries/of.yaml"
    query.write_text(query.read_text().replace("service:$service", "service:($service"))
    told = first("apply", str(root))
    assert told.code == 1
    line = next(i for i, text in enumerate(dashboard.read_text().splitlines(), 1) if "cuont" in text)
    column = dashboard.read_text().splitlines()[line - 1].index("cuont") + 1
    assert f"{dashboard}:{line}:{column} panels[0].query: " in told.err
    assert f"{query}:2:24 text: " in told.err
    assert "0 changed, 6 were so already" in told.out


def test_a_folder_is_refused_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is none of lookups/"):
        read(tmp_path)
    (tmp_path / "thing").touch()
    with pytest.raises(ConfigError, match="holds something that is no export"):
        write(tmp_path, {})


def test_what_is_no_more_leaves_the_folder_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    entry = node.files({})
    assert write(tmp_path, entry | {"roles/a.yaml": b"x", "lookups/t.csv": b"x"}) == []
    (tmp_path / "README.md").touch()
    (tmp_path / "roles" / "notes.txt").touch()
    assert write(tmp_path, entry) == [str(tmp_path / "lookups/t.csv"), str(tmp_path / "roles/a.yaml")]
    assert (tmp_path / "README.md").exists()
    assert (tmp_path / "roles" / "notes.txt").exists()


def test_no_name_leads_out_of_the_folder() -> None:
    titles = ["../../etc/passwd", "..", "", "a/b", "A/B", "a\\b", "x" * 500, "Ärger: 50 %"]
    made = list(file_names(titles))
    assert made == ["etc-passwd", "unnamed", "unnamed-2", "a-b", "A-B-2", "a-b-3", "x" * 80, "Ärger-50"]


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(WRITABLE),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(WRITABLE), inner, max_size=4),
)


@given(plain)
@settings(max_examples=50)
@example("0o17")
@example("1e3")
@example("no")
@example("a\x85b\u2028c\rd\n")
@example({"<<": {"a": 1}, "=": "12:30"})
@example("a\n  b\n\n")
def test_what_is_written_says_the_same_when_it_is_read(value: object) -> None:
    errors: list[ConfigError] = []
    element = parse_yaml(to_yaml({"value": value}), "x.yaml", errors.append)
    assert errors == []
    assert element.plain() == {"value": value}
