"""Dockerfile, compose file, environment example and Kubernetes manifests, by the tools that know their rules."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from cordwood.config import Settings, load_text
from cordwood.core.runtime import load_checked
from cordwood.plugins import load_plugins

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "infra/docker/Dockerfile"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = [name for name, service in COMPOSE["services"].items() if "cordwood" in service["image"]]
EXAMPLE = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
OF_CLIENTS = {"CORDWOOD_URL", "CORDWOOD_TOKEN"}
MANIFESTS = [found for found in yaml.safe_load_all((ROOT / "infra/kubernetes/cordwood.yaml").read_text()) if found]


def instructions() -> list[tuple[str, str]]:
    """(word, the rest) of each instruction of the Dockerfile, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines()) if word]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def stages() -> dict[str, dict[str, str]]:
    """The instructions of each stage by its name; the last one is `image`. FROM holds what it begins with."""
    found: dict[str, dict[str, str]] = {}
    for word, rest in instructions():
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = found.setdefault(name or "image", {})
            rest = base
        elif word == "ARG" and not found:
            continue
        stage[word] = rest
    return found


def test_the_image_is_pinned_and_runs_as_nobody_special() -> None:
    given, made = instructions(), stages()
    assert given[0] == ("ARG", "PYTHON=3.11.14-slim-bookworm")
    assert {stage["FROM"] for stage in made.values()} == {"python:${PYTHON}", "cordwood"}
    assert (made["image"], made["aws"]["FROM"]) == ({"FROM": "cordwood"}, "cordwood")
    assert made["cordwood"]["USER"] == "10001:10001"
    assert made["cordwood"]["ENTRYPOINT"] == '["cordwood"]'
    assert made["cordwood"]["STOPSIGNAL"] == "SIGTERM"
    assert "USER" not in made["aws"]


def test_its_health_check_tells_a_server_from_none(server: Any) -> None:
    check = dict(instructions())["HEALTHCHECK"].partition("CMD")[2].strip()
    command = [sys.executable, *yaml.safe_load(check)[1:]]
    environment = {"CORDWOOD_PORT": str(server.port)}
    assert subprocess.run(command, env=environment, capture_output=True, timeout=30).returncode == 0
    server.stop()
    assert subprocess.run(command, env=environment, capture_output=True, timeout=30).returncode != 0


def ignored(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore leaves a path out: the last pattern decides that fits it, or a folder that it is in."""
    parts = Path(path).parts
    heads = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    out = False
    for pattern in patterns:
        wanted = pattern.lstrip("!")
        names = parts if wanted.startswith("**/") else heads
        wanted = wanted.removeprefix("**/")
        if any(fnmatch(name, wanted) and name.count("/") == wanted.count("/") for name in names):
            out = not pattern.startswith("!")
    return out


def test_the_build_gets_what_it_needs_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    held = {path for path in listed.splitlines() if not ignored(path, patterns)}
    code = {
        path
        for path in listed.splitlines()
        if path.endswith((".py", ".lark", ".html", ".js")) and not path.startswith(("tests/", "docs/", "web/ui/"))
    }
    assert code <= held
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            sources = shlex.split(rest.replace("${PIPELINE}", "infra/aws/pipeline.yaml"))[:-1]
            assert all(source == "." or any(path.startswith(source) for path in held) for source in sources), rest
    kept_out = (".env", ".git/config", ".venv/bin/python", "data/postgres/PG_VERSION", "tests/x.py", "web/static/x.js")
    assert [path for path in kept_out if not ignored(path, patterns)] == []


def interpolated(text: str, environment: dict[str, str]) -> str:
    """The text as compose reads it: `${NAME:-default}` and `${NAME:?message}` replaced."""

    def value(found: re.Match[str]) -> str:
        return environment[found["name"]] or ("set" if found["message"] else found["default"] or "")

    return re.sub(r"\$\{(?P<name>\w+)(:-(?P<default>[^}]*)|:\?(?P<message>[^}]*))?\}", value, text)


def test_compose_keeps_to_its_specification() -> None:
    read = yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text(), EXAMPLE))
    PyCompose.from_json(json.dumps(read)).validate()


def test_compose_asks_for_nothing_that_the_example_does_not_name() -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked - EXAMPLE.keys() == set()


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "CORDWOOD_ADMIN_EMAIL", "CORDWOOD_ADMIN_PASSWORD"])
def test_compose_does_not_start_without_secrets(name: str) -> None:
    """Each use of a secret stops with a message where it is not set, and the example sets none."""
    text = (ROOT / "docker-compose.yml").read_text()
    uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
    assert uses
    assert all(use.startswith(":?") for use in uses)
    assert EXAMPLE[name] == ""


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_each_service_has_no_more_than_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r":[\w.${}-]*\w", service["image"])
    assert not service["image"].endswith(":latest")
    for port in service.get("ports", ()):
        assert port.startswith(("127.0.0.1:", "${CORDWOOD_PUBLISH"))
    if name in OURS:
        assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], True)
        assert "user" not in service
    else:
        assert "privileged" not in service
        assert service.get("user", "") != "root"


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_what_a_service_waits_for_can_come(name: str) -> None:
    services, mounted = COMPOSE["services"], COMPOSE["volumes"]
    waits = services[name].get("depends_on", {})
    assert set(waits) <= services.keys()
    for other, how in waits.items() if isinstance(waits, dict) else ():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in services[other] or services[other]["image"].startswith("cordwood:")
    for volume in services[name].get("volumes", ()):
        source = "".join(takewhile(lambda c: c != ":", volume))
        assert source in mounted or (ROOT / source).exists()


def test_the_environments_of_services_are_settings() -> None:
    for name in OURS:
        environment = COMPOSE["services"][name].get("environment", {})
        own = {key for key in environment if key.startswith("CORDWOOD_")}
        assert own <= {f"CORDWOOD_{field.upper()}" for field in Settings.model_fields}, name
        plain = {key: interpolated(str(environment[key]), EXAMPLE) for key in own}
        Settings.from_environment(plain)


def test_the_example_is_what_the_settings_are() -> None:
    of_compose = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    settings = {f"CORDWOOD_{field.upper()}" for field in Settings.model_fields}
    assert EXAMPLE.keys() == settings | OF_CLIENTS | of_compose
    given = Settings.from_environment(EXAMPLE)
    assert given == Settings(data_dir=Path("./data"))


def test_grafana_is_given_what_it_reads_from() -> None:
    sources = {
        one["name"]: one for one in yaml.safe_load((ROOT / "infra/grafana/cordwood.yaml").read_text())["datasources"]
    }
    page = (ROOT / "docs/grafana.md").read_text()
    (told,) = yaml.safe_load(re.findall(r"```yaml\n(apiVersion.*?)```", page, re.DOTALL)[0])["datasources"]
    assert sources["Cordwood"] == told | {"isDefault": True}
    assert {urlsplit(one["url"]).hostname for one in sources.values()} <= COMPOSE["services"].keys()
    grafana = COMPOSE["services"]["grafana"]
    assert "CORDWOOD_TOKEN=" in grafana["command"][0]
    assert "./infra/grafana:/etc/grafana/provisioning/datasources:ro" in grafana["volumes"]


def test_the_s3_server_has_what_the_page_says_and_does_not_start_without_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs/containers.md").read_text()
    (text,) = re.findall(r"```yaml\n(store:.*?)```", page, re.DOTALL)
    monkeypatch.setenv("S3_PASSWORD", "a secret key")
    settings: Any = load_text(text, load_plugins()).places["s3"].config
    server = COMPOSE["services"]["s3"]
    assert server["environment"] == {
        "MINIO_ROOT_USER": settings.access_key_id,
        "MINIO_ROOT_PASSWORD": "${S3_PASSWORD:-}",
    }
    assert settings.endpoint == "http://s3:9000"
    (script,) = server["command"]
    assert f"mkdir -p /data/{settings.bucket}" in script
    minio = tmp_path / "minio"
    minio.write_text("#!/bin/sh\necho started $*\n")
    minio.chmod(0o755)
    script = script.replace("$$", "$").replace("/data", str(tmp_path / "data"))
    for password, code in (("", 1), ("a secret key", 0)):
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "MINIO_ROOT_PASSWORD": password}
        done = subprocess.run(["/bin/sh", "-ec", script], env=environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == code
        assert ("set S3_PASSWORD" in done.stderr) == (code == 1)
    assert (tmp_path / "data" / settings.bucket).is_dir()


@pytest.mark.parametrize("path", sorted((ROOT / "infra/docker/pipelines").glob("*.yaml")), ids=lambda path: path.name)
def test_the_example_pipelines_are_right(path: Path) -> None:
    load_checked(path, load_plugins())


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda found: f"{found['kind']}-{found['metadata']['name']}")
def test_kubernetes_knows_the_manifests(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.33", strict=True)


@pytest.mark.parametrize("role", ["ingest", "query", "worker"])
def test_pods_are_restricted(role: str) -> None:
    (made,) = (m for m in MANIFESTS if m["kind"] == "Deployment" and m["metadata"]["name"] == role)
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    environment = {entry["name"]: entry.get("value", "secret") for entry in container["env"]}
    assert environment["CORDWOOD_ROLE"] == role
    assert set(environment) <= {f"CORDWOOD_{field.upper()}" for field in Settings.model_fields}
    assert made["spec"]["template"]["metadata"]["labels"] == made["spec"]["selector"]["matchLabels"]


def test_the_manifests_config_is_right() -> None:
    (made,) = (m for m in MANIFESTS if m["kind"] == "ConfigMap")
    load_text(made["data"]["cordwood.yaml"], load_plugins())
