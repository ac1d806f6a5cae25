"""The whole OpenAPI document against the server: no answer is a 5xx, and none is outside its schema.

Schemathesis makes the requests: right ones, and ones that are wrong in body, path or query. Each operation gets
a few, the same in every run. What has its own endless answer (`tail`, `tap`) has its own tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from cordwood.web.app import create_api
from cordwood.web.schema import document
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ..conftest import Server, data_folder

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = {"/api/v1/tail", "/api/v1/pipelines/{name}/tap"}
LAST = ("/api/v1/tokens/{id}", "/api/v1/users/{id}", "/api/v1/session")
"""They may end the token that is shown: they come when nothing else does."""
SCHEMA = schemathesis.openapi.from_dict(json.loads(document(create_api(None))))
OPERATIONS = sorted(
    (found.ok() for found in SCHEMA.get_all_operations() if found.ok().path not in ENDLESS),
    key=lambda operation: (operation.path.startswith(LAST), operation.label),
)
LONGEST_LINE = 60_000  # bytes
BOUNDED = settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(cluster: Path) -> Iterator[Server]:
    """A server with an event, where an administrator exists."""
    with data_folder() as folder:
        environment = {"CORDWOOD_ADMIN_EMAIL": "ann@example.org", "CORDWOOD_ADMIN_PASSWORD": "correct horse"}
        made = Server(folder, None, environment, cluster=cluster)
        made.start()
        yield made
        made.stop()
        made.log.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def session(server: Server) -> Iterator[requests.Session]:
    """Shows a token for everything."""
    with requests.Session() as made:
        body = {"email": "ann@example.org", "password": "correct horse"}
        assert made.post(f"{server.url}/api/v1/session", json=body, timeout=30).status_code == 200
        body = {"name": "schemathesis", "scopes": ["ingest", "query", "admin"]}
        token = made.post(f"{server.url}/api/v1/tokens", json=body, timeout=30).json()["secret"]
        made.cookies.clear()
        made.headers["Authorization"] = f"Bearer {token}"
        made.post(f"{server.url}/api/v1/logs", json=[{"message": "x", "n": 1}, {"n": "one"}], timeout=30)
        yield made


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_is_in_the_document(operation: Any, server: Server, session: requests.Session) -> None:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
            continue  # nothing of it can be wrong

        @BOUNDED
        @given(case=operation.as_strategy(mode))
        def ask(case: schemathesis.Case) -> None:
            # A longer request line is refused by the HTTP parser, before anything of ours has it.
            assume(len(case.as_transport_kwargs(base_url=server.url)["url"]) + len(str(case.query)) * 4 < LONGEST_LINE)
            response = case.call(base_url=server.url, session=session, timeout=60)
            case.validate_response(response, checks=CHECKS)

        try:
            ask()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # a name in the path can be anything
