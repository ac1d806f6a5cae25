"""`cordwood check --deep` against what pipelines speak to: Docker, PostgreSQL, MQTT, Kafka, AWS, mail."""

from __future__ import annotations

import os
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from anyio.from_thread import start_blocking_portal
from cordwood.core.storage.embedded import EmbeddedPostgres

from ..notifiers.test_email import Smtp
from ..objectstore import KEYS, Bucket, S3Server
from ..services import find_mosquitto
from ..sources.brokers import PLAIN, mosquitto
from ..sources.docker_engine import FakeEngine
from ..sources.http_peer import Answer, answering
from ..sources.kafka_cluster import cluster
from ..sources.listening import certificates
from ..sources.test_cloudwatch import Group
from ..sources.test_s3 import notified
from .test_check_deep import free_port

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="needs mosquitto")
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


@pytest.fixture
def pem(data_dir: Path) -> dict[str, Path]:
    made = certificates(data_dir)
    for path in made.values():
        path.chmod(0o644)
    return made


@contextmanager
def mail_server(tls: Mapping[str, Path] | None = None) -> Iterator[int]:
    """The port of one, with TLS from the start where there are certificates."""
    server = Smtp()
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever checks leaves in the middle
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls["server"], tls["server_key"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def checked(cordwood: Any, folder: Path, config: Mapping[str, Any], **environment: str) -> tuple[Any, dict[str, str]]:
    """How the command ended, and what it said of each need: `ok`, or what is wrong."""
    file = folder / "pipeline.yaml"
    file.write_text(yaml.safe_dump({"version": 1, **config}))
    path = os.environ | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}
    done = cordwood("check", "--deep", str(file), env=path | environment, timeout=120)
    said = dict(re.findall(r"^([\w.]+): .*: (ok)$", done.out, re.MULTILINE))
    return done, said | dict(re.findall(r"^\S+:\d+:\d+ ([\w.]+): (.*)$", done.err, re.MULTILINE))


def address(postgres: EmbeddedPostgres) -> str:
    args = postgres.connect_args
    return f"postgresql://{args['user']}@/{args['database']}?host={postgres.socket_dir}&port=5432"


def aws(where: str, **more: Any) -> dict[str, Any]:
    return {"endpoint": where, "region": "us-east-1", **KEYS, **more}


def mail(port: int, tls: str) -> dict[str, Any]:
    shown = {"sender": "c@example.com", "to": ["ops@example.com"]}
    return {"type": "email", "host": "localhost", "port": port, "tls": tls, **shown}


def test_all_that_is_there(
    cordwood: Any, data_dir: Path, pem: dict[str, Path], postgres: EmbeddedPostgres, s3_server: S3Server, bucket: Bucket
) -> None:
    engine, socket = FakeEngine(), data_dir / "docker.sock"
    mine = {"ca_file": str(pem["ca"]), "cert_file": str(pem["client"]), "key_file": str(pem["client_key"])}
    tls = f"cafile {pem['ca']}\ncertfile {pem['server']}\nkeyfile {pem['server_key']}\nrequire_certificate true\n"
    group = Group(s3_server.url)
    with ExitStack() as open_:
        portal = open_.enter_context(start_blocking_portal())
        open_.enter_context(portal.wrap_async_context_manager(engine.serving(socket)))
        broker = open_.enter_context(mosquitto(data_dir, PLAIN))
        secure = open_.enter_context(mosquitto(data_dir, f"{PLAIN}{tls}"))
        brokers = open_.enter_context(cluster(2)).brokers
        queue = open_.enter_context(notified(bucket))
        config = {
            "sources": {
                "docker": {"type": "docker", "url": f"unix://{socket}"},
                "table": {"type": "sql_poll", "url": address(postgres), "query": "select 1 as n", "column": "n"},
                "mqtt": {"type": "mqtt", "url": f"mqtt://127.0.0.1:{broker}", "topics": ["#"]},
                "mqtts": {"type": "mqtt", "url": f"mqtts://127.0.0.1:{secure}", "topics": ["#"], **mine},
                "kafka": {"type": "kafka", "brokers": brokers, "topics": ["t"]},
                "objects": {"type": "s3", "bucket": bucket.name, **aws(s3_server.url)},
                "notices": {"type": "s3", "queue": queue, **aws(s3_server.url)},
                "groups": {"type": "cloudwatch", "groups": [group.name], **aws(s3_server.url)},
            },
            "outputs": {
                "bus": {"type": "kafka", "brokers": brokers, "topic": "t"},
                "lake": {"type": "s3", "bucket": bucket.name, **aws(s3_server.url)},
            },
            "notifiers": {
                "mail": mail(open_.enter_context(mail_server()), "none"),
                "mails": mail(open_.enter_context(mail_server(pem)), "implicit"),
                "topic": {"type": "sns", "topic": TOPIC, "endpoint": s3_server.url},
            },
            "store": {"places": {"far": {"type": "s3", "bucket": bucket.name, **aws(s3_server.url)}}},
        }
        keys = {f"AWS_{name.upper()}": value for name, value in KEYS.items()}
        done, said = checked(cordwood, data_dir, config, SSL_CERT_FILE=str(pem["ca"]), **keys)
    group.client.close()
    assert done.code == 0, done.err
    assert said == dict.fromkeys(
        (
            "sources.docker.url", "sources.table.url", "sources.mqtt.url", "sources.mqtts.url",
            "sources.kafka.brokers", "sources.objects.bucket", "sources.notices.queue", "sources.groups.groups",
            "outputs.bus.brokers", "outputs.lake.bucket", "notifiers.mail.host", "notifiers.mails.host",
            "notifiers.topic.topic", "notifiers.topic.endpoint", "store.places.far.bucket",
        ),
        "ok",
    )  # fmt: skip
    assert engine.asked == ["/containers/json?all=1"]  # and nothing of a log


def test_what_is_not_there_or_not_what_it_should_be(
    cordwood: Any, data_dir: Path, pem: dict[str, Path], postgres: EmbeddedPostgres, s3_server: S3Server, bucket: Bucket
) -> None:
    closed, sql = free_port(), {"type": "sql_poll", "url": address(postgres), "column": "n"}
    mqtt, theirs = {"type": "mqtt", "topics": ["#"]}, {"ca_file": str(pem["other_ca"])}
    with ExitStack() as open_:
        broker = open_.enter_context(mosquitto(data_dir, PLAIN))
        certificate = f"certfile {pem['server']}\nkeyfile {pem['server_key']}\n"
        secure = open_.enter_context(mosquitto(data_dir, f"{PLAIN}{certificate}"))
        web = open_.enter_context(answering(lambda _: Answer(b"<p>It works", 200)))
        brokers = open_.enter_context(cluster()).brokers
        users = S3Server(free_port(), data_dir / "users", checked=True)
        open_.callback(users.stop)
        locked = Bucket("locked", users.url)
        locked.client.create_bucket(Bucket=locked.name)
        locked.client.close()
        sqs = f"{s3_server.url}/123456789012/none"
        config = {
            "sources": {
                "docker": {"type": "docker", "url": f"unix://{data_dir}/none.sock"},
                "website": {"type": "docker", "url": web.url},
                "away": {**sql, "url": f"postgresql://u@127.0.0.1:{closed}/d", "query": "x"},
                "table": {**sql, "query": "select 1 as n from none"},
                "column": {**sql, "query": "select 1 as n", "column": "m"},
                "mqtt": {**mqtt, "url": f"mqtt://127.0.0.1:{closed}"},
                "plain": {**mqtt, "url": f"mqtts://127.0.0.1:{broker}"},
                "stranger": {**mqtt, "url": f"mqtts://127.0.0.1:{secure}", **theirs},
                "nofile": {**mqtt, "url": f"mqtts://127.0.0.1:{secure}", "ca_file": "/none.pem"},
                "kafka": {"type": "kafka", "brokers": [f"127.0.0.1:{closed}"], "topics": ["t"]},
                "kafkas": {"type": "kafka", "brokers": brokers, "topics": ["t"], "tls": True},
                "objects": {"type": "s3", "bucket": "none-of-these", **aws(s3_server.url)},
                "notices": {"type": "s3", "queue": sqs, **aws(s3_server.url)},
                "groups": {"type": "cloudwatch", "groups": ["/none"], **aws(s3_server.url)},
                "denied": {"type": "s3", "bucket": locked.name, **aws(users.url)},
            },
            "outputs": {
                "bus": {"type": "kafka", "brokers": [f"127.0.0.1:{closed}"], "topic": "t"},
                "lake": {"type": "s3", "bucket": "none-of-these", **aws(s3_server.url)},
            },
            "notifiers": {
                "mail": mail(closed, "none"),
                "strange": mail(open_.enter_context(mail_server(pem)), "implicit"),
                "unencrypted": mail(open_.enter_context(mail_server()), "implicit"),
                "topic": {"type": "sns", "topic": TOPIC, "endpoint": f"http://127.0.0.1:{closed}"},
            },
            "store": {"places": {"far": {"type": "s3", "bucket": "none-of-these", **aws(s3_server.url)}}},
        }
        done, said = checked(cordwood, data_dir, config, AWS_SHARED_CREDENTIALS_FILE="/dev/null")
    assert done.code == 1
    away, no_tls = "is it up, is the address right, does a firewall stop it?", "speaks no TLS"
    expected = {
        "sources.docker.url": "No such file or directory; is the daemon up",
        "sources.website.url": "answers what is not of the Engine's API",
        "sources.away.url": "no connection to the database",
        "sources.table.url": 'relation "none" does not exist; mend query or column',
        "sources.column.url": "column q.m does not exist; mend query or column",
        "sources.mqtt.url": away,
        "sources.plain.url": no_tls,
        "sources.stranger.url": "we refuse its certificate: unable to get local issuer certificate",
        "sources.nofile.url": "the certificates /none.pem cannot be used: [Errno 2] No such file or directory",
        "sources.kafka.brokers": away,
        "sources.kafkas.brokers": no_tls,
        "sources.objects.bucket": "NoSuchBucket",
        "sources.notices.queue": "NonExistentQueue",
        "sources.groups.groups": "ResourceNotFoundException",
        "sources.denied.bucket": "InvalidAccessKeyId",
        "outputs.bus.brokers": away,
        "outputs.lake.bucket": "does not exist: make it, or mend the setting bucket",
        "notifiers.mail.host": away,
        "notifiers.strange.host": "we refuse its certificate: unable to get local issuer certificate",
        "notifiers.unencrypted.host": no_tls,
        "notifiers.topic.topic": "boto3 finds no keys; give the machine a role, or set AWS_ACCESS_KEY_ID",
        "notifiers.topic.endpoint": away,
        "store.places.far.bucket": "does not exist: make it, or mend the setting bucket",
    }
    assert said.keys() == expected.keys()
    assert {name: words for name, words in said.items() if expected[name] not in words} == {}
    assert KEYS["secret_access_key"] not in done.out + done.err
