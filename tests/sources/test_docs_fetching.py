"""What docs/sources/ shows of the sources that fetch: one server with all of them, and what each has to fetch."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import boto3
import pytest
import yaml
from anyio.from_thread import start_blocking_portal
from cordwood.core.storage.embedded import EmbeddedPostgres

from ..conftest import Server, data_folder
from ..objectstore import KEYS, Bucket, S3Server
from ..services import find_kcat
from .docker_engine import FakeEngine
from .http_peer import Answer, HttpPeer, answering
from .kafka_cluster import Cluster, cluster
from .pages import snippet
from .test_cloudwatch import Group
from .test_docs_listening import FETCHING, found
from .test_kubernetes import line, log_of


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """With a short path, that any user can pass through."""
    with data_folder() as made:
        yield made


@pytest.fixture(scope="module")
def docker_engine(folder: Path) -> Iterator[FakeEngine]:
    engine = FakeEngine()
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(engine.serving(folder / "docker.sock")):
        for name in ("shop-1", "cordwood-1"):
            portal.call(lambda name=name: engine.add(name, labels={"tier": "web"}).say(f"{name} says"))
        yield engine


@pytest.fixture(scope="module")
def audit() -> Iterator[HttpPeer]:
    event = {"service": "shop", "message": "card declined"}
    with answering(lambda _: Answer(json.dumps({"data": {"items": [event]}}).encode())) as peer:
        yield peer


@pytest.fixture(scope="module")
async def jobs(postgres: EmbeddedPostgres) -> str:
    """The address of a database with the table of the page."""
    connection = await asyncpg.connect(**postgres.connect_args)
    await connection.execute("create table jobs (id bigserial, finished timestamptz, state text, output text)")
    await connection.execute("insert into jobs (finished, state, output) values (now(), 'failed', 'out of paper')")
    await connection.close()
    user, database = (postgres.connect_args[name] for name in ("user", "database"))
    return f"postgresql://{user}@/{database}?host={postgres.socket_dir}&port=5432"


@pytest.fixture(scope="module")
def amazon(s3_server: S3Server) -> Iterator[dict[str, dict[str, Any]]]:
    """Settings of the page's sources of AWS, with something to fetch for each."""
    bucket = Bucket(f"exports-{uuid4().hex[:8]}", s3_server.url)
    bucket.client.create_bucket(Bucket=bucket.name)
    keys = {f"aws_{name}": value for name, value in KEYS.items()}
    sqs = boto3.client("sqs", endpoint_url=s3_server.url, region_name="us-east-1", **keys)
    queue = sqs.create_queue(QueueName=bucket.name)["QueueUrl"]
    clients = {"sqs": sqs, "s3": bucket.client}
    code = snippet("s3", "python").replace("boto3.client(", "clients.get(").replace("import boto3", "")
    exec(code, {"clients": clients, "QUEUE": queue, "BUCKET": bucket.name})
    sqs.close()
    bucket.client.put_object(Bucket=bucket.name, Key="app/1.json", Body=b'{"service": "shop", "message": "order 1"}\n')
    group = Group(s3_server.url)
    group.write("START RequestId", age=90)
    group.client.close()
    shared = {"endpoint": s3_server.url, "region": "us-east-1", **KEYS}
    yield {
        "trail": {"queue": queue, **shared},
        "exports": {"bucket": bucket.name, **shared},
        "lambda": {"groups": [group.name], **shared},
    }
    bucket.client.close()


@pytest.fixture(scope="module")
def orders() -> Iterator[Cluster]:
    with cluster() as made:
        exec(snippet("kafka", "python").replace("127.0.0.1:9092", made.brokers[0]), {})
        if find_kcat():
            command = snippet("kafka", "sh").replace("127.0.0.1:9092", made.brokers[0])
            subprocess.run(["sh", "-c", command], check=True, timeout=60)
        yield made


@pytest.fixture(scope="module")
def served(
    folder: Path,
    docker_engine: FakeEngine,
    audit: HttpPeer,
    jobs: str,
    amazon: dict[str, dict[str, Any]],
    orders: Cluster,
    cluster: Path,
) -> Iterator[Server]:
    """The settings of the page, with the places where the tests keep what is fetched."""
    own: dict[str, dict[str, Any]] = {
        **amazon,
        "orders": {"brokers": orders.brokers},
        "audit": {"url": f"{audit.url}/v1/audit?service=shop"},
        "jobs": {"url": jobs},
        "containers": {"url": f"unix://{folder}/docker.sock"},
        "pods": {"include": [f"{folder}/pods/*/*/*.log*"]},
    }
    sources: dict[str, Any] = {}
    for section in FETCHING:
        sources |= yaml.safe_load(snippet(section, "yaml"))["sources"]
    config = {"version": 1, "sources": {name: settings | own.get(name, {}) for name, settings in sources.items()}}
    server = Server(folder / "data", yaml.safe_dump(config), cluster=cluster)
    with subprocess.Popen(["sh", "-c", snippet("stdin", "sh").partition("|")[0]], stdout=subprocess.PIPE) as app:
        assert app.stdout is not None
        server.start(stdin=app.stdout.fileno())
    yield server
    server.kill()


def test_a_container(served: Server) -> None:
    (event,) = found(served, "source:containers")
    assert (event["message"], event["service"]) == ("shop-1 says", "shop-1")
    assert event["container.label.tier"] == "web"


def test_a_log_group(served: Server) -> None:
    (event,) = found(served, "source:lambda")
    assert (event["message"], event["logStream"]) == ("START RequestId", "web/1")


@pytest.mark.parametrize("name", ["trail", "exports"])
def test_a_bucket(served: Server, name: str) -> None:
    (event,) = found(served, f"source:{name}")
    assert (event["service"], event["message"], event["aws.s3.key"]) == ("shop", "order 1", "app/1.json")


def test_an_api(served: Server, audit: HttpPeer) -> None:
    (event,) = found(served, "source:audit")
    assert (event["service"], event["message"]) == ("shop", "card declined")
    assert audit.asked[0].headers["authorization"] == "Bearer none"


def test_a_topic(served: Server) -> None:
    (event,) = found(served, 'source:orders "order 1"')
    assert (event["message"], event["kafka.key"], event["kafka.header.trace"]) == ("order 1", "42", "0af7")


@pytest.mark.skipif(find_kcat() is None, reason="needs kcat")
def test_kcat(served: Server) -> None:
    (event,) = found(served, 'source:orders "order 2"')
    assert (event["service"], event["kafka.key"]) == ("shop", "43")


def test_rows(served: Server) -> None:
    (event,) = found(served, "source:jobs")
    assert (event["service"], event["state"], event["message"], event["id"]) == ("shop", "failed", "out of paper", 1)


def test_standard_input(served: Server) -> None:
    (event,) = found(served, "source:app")
    assert event["message"] == "order 1"


def test_a_pod(served: Server, folder: Path) -> None:
    log_of(folder / "pods").write_text(line("card declined"))
    (event,) = found(served, "source:pods")
    assert (event["service"], event["host"], event["k8s.namespace.name"]) == ("web", "node-1", "shop")
