"""`${aws-secret:…}` against a server that speaks Secrets Manager's protocol."""

from __future__ import annotations

import sys
from uuid import uuid4

import boto3
import pytest
from cordwood.config import ConfigErrors, load_text

REGION = "eu-central-1"


@pytest.fixture
def manager(s3_server, monkeypatch):
    """A client; whatever this process asks of AWS goes to the test's server. moto answers for every service."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "hush",
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    client = boto3.client("secretsmanager", region_name=REGION)
    yield client
    client.close()


def loaded(registry, *references):
    notifiers = ", ".join(
        f'n{i}: {{type: pager, url: "http://x", token: "{reference}"}}' for i, reference in enumerate(references)
    )
    return load_text(f"notifiers: {{{notifiers}}}", registry, environment={})


def tokens(config):
    return [entry.config.token.get_secret_value() for entry in config.notifiers.values()]


def test_a_name_a_key_and_an_arn(manager, registry):
    plain, several = f"cordwood/{uuid4().hex}", f"cordwood/{uuid4().hex}"
    manager.create_secret(Name=plain, SecretString="hunter2")
    arn = manager.create_secret(Name=several, SecretString='{"token": "correct horse", "pin": 4711}')["ARN"]
    config = loaded(
        registry, f"${{aws-secret:{plain}}}", f"a-${{aws-secret:{several}#token}}", f"${{aws-secret:{arn}#pin}}"
    )
    assert tokens(config) == ["hunter2", "a-correct horse", "4711"]
    assert "hunter2" not in repr(config)
    assert config.notifiers["n0"].shown["token"] == f"${{aws-secret:{plain}}}"


def test_another_region_by_its_arn(manager, registry):
    elsewhere = boto3.client("secretsmanager", region_name="us-west-2")
    arn = elsewhere.create_secret(Name=uuid4().hex, SecretString="far away")["ARN"]
    assert tokens(loaded(registry, f"${{aws-secret:{arn}}}")) == ["far away"]
    elsewhere.close()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${aws-secret:nowhere}", "the secret nowhere cannot be read: ResourceNotFoundException; check the name"),
        ("${aws-secret:}", "aws-secret names no secret"),
        ("${aws-secret:PLAIN#key}", "PLAIN is no JSON object; leave #KEY out"),
        ("${aws-secret:OBJECT#b}", "OBJECT has no text or number under the key b"),
        ("${aws-secret:OBJECT#deep}", "OBJECT has no text or number under the key deep"),
        ("${aws-secret:BYTES}", "BYTES holds bytes, not text"),
    ],
)
def test_one_that_leads_nowhere_is_one_error_with_its_place(manager, registry, reference, message):
    mark = uuid4().hex
    manager.create_secret(Name=f"PLAIN{mark}", SecretString="hunter2")
    manager.create_secret(Name=f"OBJECT{mark}", SecretString='{"a": "hunter2", "deep": {"c": "hunter2"}}')
    manager.create_secret(Name=f"BYTES{mark}", SecretBinary=b"hunter2")
    for name in ("PLAIN", "OBJECT", "BYTES"):
        reference, message = reference.replace(name, name + mark), message.replace(name, name + mark)
    with pytest.raises(ConfigErrors) as caught:
        loaded(registry, reference)
    (error,) = caught.value.errors
    assert message in str(error)
    assert error.line == 1
    assert "hunter2" not in str(error)


def test_without_a_region(manager, registry, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigErrors, match="NoRegionError; set AWS_REGION, or write the secret's ARN"):
        loaded(registry, "${aws-secret:x}")


def test_a_server_that_is_not_there(manager, registry, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ConfigErrors, match="cannot be read: EndpointConnectionError"):
        loaded(registry, "${aws-secret:x}")


def test_without_boto3_the_error_names_the_extra(registry, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigErrors, match=r"aws-secret needs boto3; pip install 'cordwood\[aws\]'"):
        loaded(registry, "${aws-secret:x}")


def test_a_secret_is_asked_for_once_in_a_load(manager, registry, monkeypatch):
    name = uuid4().hex
    manager.create_secret(Name=name, SecretString='{"a": "1", "b": "2"}')
    asked = []
    session = boto3.session.Session()
    session.events.register("before-call.secretsmanager.GetSecretValue", lambda **_: asked.append(name))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    assert tokens(loaded(registry, f"${{aws-secret:{name}#a}}", f"${{aws-secret:{name}#b}}")) == ["1", "2"]
    assert asked == [name]
