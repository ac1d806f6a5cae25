"""The CDK application, synthesised offline as the `cdk` command does it, and what must hold of its templates."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cordwood.config import Settings
from cordwood.core.runtime import load_checked
from cordwood.core.runtime.rounds import ROUNDS
from cordwood.infra.aws.options import Options
from cordwood.plugins import load_plugins
from pydantic import ValidationError

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CONTEXT: dict[str, Any] = json.loads((ROOT / "infra/aws/cdk.json").read_text())["context"]["cordwood"]
MORE = {"forward_buckets": ["alb-logs"], "forward_log_groups": ["/aws/lambda/pay"]}
JOBS = ("nodes", "functions")

Template = dict[str, Any]


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The cloud assembly for each way to run the jobs. A rule of cdk-nag that is broken makes the synthesis fail."""
    folder = tmp_path_factory.mktemp("cdk")
    running = {}
    for jobs in JOBS:
        context = {"cordwood": CONTEXT | MORE | {"jobs": jobs}}
        environment = os.environ | {
            "CDK_CONTEXT_JSON": json.dumps(context),
            "CDK_OUTDIR": str(folder / jobs),
            "JSII_NODE": str(BIN / "node"),
        }
        log = (folder / f"{jobs}.log").open("wb")
        command = [sys.executable, "-m", "cordwood.infra.aws"]
        running[jobs] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        log.close()
    for jobs, process in running.items():
        assert process.wait(240) == 0, (folder / f"{jobs}.log").read_text()[-4000:]
    return {jobs: folder / jobs for jobs in JOBS}


@pytest.fixture(params=JOBS)
def template(request: pytest.FixtureRequest, assemblies: dict[str, Path]) -> Template:
    found: Template = json.loads((assemblies[request.param] / "Cordwood.template.json").read_text())
    return found


def of(template: Template, kind: str) -> dict[str, Any]:
    """The properties of all resources of a kind, by their names."""
    found = {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == f"AWS::{kind}"
    }
    assert found, f"there is no {kind}"
    return found


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("IAM::Policy", "IAM::Role"):
        for name, properties in of(template, kind).items():
            documents = [
                properties.get("PolicyDocument"),
                *(p["PolicyDocument"] for p in properties.get("Policies", ())),
            ]
            for document in filter(None, documents):
                yield from ((name, statement) for statement in document["Statement"])


def test_cfn_lint_finds_no_error(assemblies: dict[str, Path]) -> None:
    paths = [assemblies[jobs] / "Cordwood.template.json" for jobs in JOBS]
    done = subprocess.run(
        [BIN / "cfn-lint", "--ignore-checks", "W", "--", *paths], capture_output=True, text=True, timeout=240
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_cdk_nag_looked_and_each_exception_has_a_reason(assemblies: dict[str, Path]) -> None:
    for folder in assemblies.values():
        reports = json.loads((folder / "validation-report.json").read_text())["pluginReports"]
        (report,) = (found for found in reports if found["pluginName"] == "AwsSolutions")
        assert (report["conclusion"], report["violations"]) == ("success", [])
        assert all(len(excepted["reason"]) > 20 for excepted in report["suppressedViolations"])


def test_everything_is_encrypted_where_it_lies(template: Template) -> None:
    for database in of(template, "RDS::DBInstance").values():
        assert database["StorageEncrypted"] is True
        assert database["KmsKeyId"]
    for bucket in of(template, "S3::Bucket").values():
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "VersioningConfiguration" not in bucket, "what was deleted must be gone"
    for kind in ("SQS::Queue", "SNS::Topic"):
        assert all(properties["KmsMasterKeyId"] for properties in of(template, kind).values())
    assert all(secret["KmsKeyId"] for secret in of(template, "SecretsManager::Secret").values())


def test_and_on_its_way(template: Template) -> None:
    for listener in of(template, "ElasticLoadBalancingV2::Listener").values():
        if listener["Protocol"] == "HTTP":
            (action,) = listener["DefaultActions"]
            assert action["RedirectConfig"]["Protocol"] == "HTTPS"
        else:
            assert listener["Protocol"] in ("HTTPS", "TLS")
            assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-3")
            assert listener["Certificates"]
    denied = [
        statement
        for policy in of(template, "S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert len(denied) == len(of(template, "S3::Bucket"))


def test_the_database_asks_for_tls_and_its_clients_verify_it(template: Template) -> None:
    (parameters,) = of(template, "RDS::DBParameterGroup").values()
    assert parameters["Parameters"]["rds.force_ssl"] == "1"
    environments = [
        {entry["Name"]: entry["Value"] for entry in task["ContainerDefinitions"][0]["Environment"]}
        for task in of(template, "ECS::TaskDefinition").values()
    ]
    environments += [found["Environment"]["Variables"] for found in of(template, "Lambda::Function").values()]
    urls = [json.dumps(found["CORDWOOD_DATABASE_URL"]) for found in environments if "CORDWOOD_DATABASE_URL" in found]
    assert len(urls) >= 3
    assert all("sslmode=verify-full&sslrootcert=/etc/ssl/certs/rds-ca.pem" in url for url in urls)
    assert "rds-ca.pem" in (ROOT / "infra/docker/Dockerfile").read_text()


def test_nobody_but_nodes_and_functions_reaches_the_database(template: Template) -> None:
    (database,) = of(template, "RDS::DBInstance").values()
    assert database["PubliclyAccessible"] is False
    assert database["MultiAZ"] is True
    assert database["DeletionProtection"] is True
    (group,) = database["VPCSecurityGroups"]
    into = [
        rule
        for rule in of(template, "EC2::SecurityGroupIngress").values()
        if rule["GroupId"] == group and "CidrIp" not in rule
    ]
    assert into
    assert all(rule["SourceSecurityGroupId"] for rule in into)
    assert "SecurityGroupIngress" not in template["Resources"][group["Fn::GetAtt"][0]]["Properties"]
    (subnets,) = of(template, "RDS::DBSubnetGroup").values()
    mine = {subnet["Ref"] for subnet in subnets["SubnetIds"]}
    tables = {
        association["RouteTableId"]["Ref"]
        for association in of(template, "EC2::SubnetRouteTableAssociation").values()
        if association["SubnetId"]["Ref"] in mine
    }
    assert len(tables) == len(mine) == 2
    assert not [route for route in of(template, "EC2::Route").values() if route["RouteTableId"]["Ref"] in tables]


def test_roles_may_do_what_they_need_and_no_more(template: Template) -> None:
    anywhere = {"ecr:GetAuthorizationToken"}
    for name, statement in statements(template):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert statement["Effect"] == "Allow"
        assert not [action for action in actions if "*" in action], name
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if "*" in resources:
            assert set(actions) <= anywhere, (name, actions)


def test_only_who_compacts_and_deletes_writes_to_the_bucket(template: Template) -> None:
    writers = {name for name, statement in statements(template) if "s3:PutObject" in statement["Action"]}
    worker = {re.sub(r"(Task|Function).*", "", name) for name in writers}
    assert worker in ({"Worker"}, {"Compaction", "Deletion", "Retention"})


def test_each_handler_is_there(template: Template) -> None:
    for function in of(template, "Lambda::Function").values():
        config = function["ImageConfig"]
        assert config["EntryPoint"] == ["python", "-m", "awslambdaric"]
        module, _, name = config["Command"][0].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))
    assert importlib.util.find_spec("awslambdaric")
    assert "awslambdaric==" in (ROOT / "requirements-aws.txt").read_text()


def test_jobs_are_done_by_nodes_or_by_functions(assemblies: dict[str, Path]) -> None:
    by_nodes, by_functions = (json.loads((assemblies[jobs] / "Cordwood.template.json").read_text()) for jobs in JOBS)
    roles = [
        {entry["Name"]: entry["Value"] for entry in task["ContainerDefinitions"][0]["Environment"]}["CORDWOOD_ROLE"]
        for task in of(by_nodes, "ECS::TaskDefinition").values()
    ]
    assert sorted(roles) == ["ingest", "query", "worker"]
    assert not [name for name, found in by_nodes["Resources"].items() if found["Type"] == "AWS::Events::Rule"]
    assert len(of(by_functions, "ECS::TaskDefinition")) == 2
    variables = [function["Environment"]["Variables"] for function in of(by_functions, "Lambda::Function").values()]
    assert {found["CORDWOOD_ROUND"] for found in variables if "CORDWOOD_ROUND" in found} == set(ROUNDS)
    assert len(of(by_functions, "Events::Rule")) == len(ROUNDS)


def test_tasks_are_shut_in(template: Template) -> None:
    for task in of(template, "ECS::TaskDefinition").values():
        (container,) = task["ContainerDefinitions"]
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "10001"
        assert {secret["Name"] for secret in container["Secrets"]} == {"PGPASSWORD", "CORDWOOD_ADMIN_PASSWORD"}
        own = {entry["Name"] for entry in container["Environment"] if entry["Name"].startswith("CORDWOOD_")}
        assert own <= {f"CORDWOOD_{field.upper()}" for field in Settings.model_fields}
    for service in of(template, "ECS::Service").values():
        assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


def test_each_alarm_tells_somebody_what_to_do(template: Template) -> None:
    alarms = of(template, "CloudWatch::Alarm")
    assert len(alarms) >= 8
    for alarm in alarms.values():
        assert alarm["AlarmActions"]
        for page in re.findall(r"docs/\S+\.md", alarm["AlarmDescription"]):
            assert (ROOT / page).exists(), page


def test_the_pipeline_file_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENT_BUCKET", "segments")
    config = load_checked(ROOT / Options.model_fields["pipeline"].default, load_plugins())
    assert {"syslog", "otlp"} <= config.sources.keys()


@pytest.mark.parametrize(
    "wrong",
    [{"region": "Frankfurt"}, {"certificate_arn": "x"}, {"database_class": "db.m7g.large"}, {"jobs": "both"}, {"x": 1}],
)
def test_options_that_are_wrong_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Options.model_validate(CONTEXT | wrong)


def test_the_page_names_every_option() -> None:
    page = (ROOT / "docs/aws.md").read_text()
    assert [name for name in Options.model_fields if f"`{name}`" not in page] == []
