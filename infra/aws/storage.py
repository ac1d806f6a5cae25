"""What is kept: PostgreSQL, the bucket of merged segments, secrets, and the key that encrypts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secrets

from .options import Options

CA_FILE = "/etc/ssl/certs/rds-ca.pem"  # in the image, see infra/docker/Dockerfile


@dataclass(frozen=True, slots=True)
class Storage:
    """What nodes and functions need to know of it."""

    key: Any
    database: Any
    segments: Any
    access_logs: Any
    admin_password: Any
    forwarder_token: Any

    @property
    def database_secret(self) -> Any:
        """Its `password` is the database's."""
        return self.database.secret

    @property
    def database_url(self) -> str:
        """Without the password. The certificate is verified, and made out to this host."""
        host = self.database.db_instance_endpoint_address
        return f"postgresql://cordwood@{host}:5432/cordwood?sslmode=verify-full&sslrootcert={CA_FILE}"

    def grant(self, role: Any, *, writes: bool) -> None:
        """Let a role read segments in the bucket; or put and delete them too, as compaction and retention do."""
        objects, keys = ["s3:GetObject"], ["kms:Decrypt"]
        if writes:
            objects += ["s3:PutObject", "s3:DeleteObject"]
            keys += ["kms:GenerateDataKey"]
        for actions, resource in (
            (objects, self.segments.arn_for_objects("*")),
            (["s3:ListBucket"], self.segments.bucket_arn),
            (keys, self.key.key_arn),
        ):
            role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))


def storage(stack: Any, vpc: Any, options: Options) -> Storage:
    """All that must outlive the stack; each is retained when the stack is deleted."""
    key = kms.Key(stack, "Key", enable_key_rotation=True, description="Cordwood's events, secrets and queues")
    access_logs = _bucket(
        stack,
        "AccessLogs",
        encryption=s3.BucketEncryption.S3_MANAGED,  # load balancers can write to no other
        object_ownership=s3.ObjectOwnership.OBJECT_WRITER,
        lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
    )
    # No versions: what a deletion by query or retention took must be gone.
    segments = _bucket(
        stack,
        "Segments",
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix="segments/",
        lifecycle_rules=[
            s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
            s3.LifecycleRule(
                transitions=[
                    s3.Transition(storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(30))
                ]
            ),
        ],
    )
    return Storage(
        key=key,
        database=_database(stack, vpc, key, options),
        segments=segments,
        access_logs=access_logs,
        admin_password=_password(stack, "AdminPassword", key, "Password of Cordwood's first administrator"),
        forwarder_token=_password(stack, "ForwarderToken", key, "Token of the forwarder: `cordwood token create`"),
    )


def _bucket(stack: Any, name: str, **more: Any) -> Any:
    return s3.Bucket(
        stack,
        name,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        removal_policy=RemovalPolicy.RETAIN,
        **more,
    )


def _password(stack: Any, name: str, key: Any, about: str) -> Any:
    return secrets.Secret(
        stack,
        name,
        description=about,
        encryption_key=key,
        generate_secret_string=secrets.SecretStringGenerator(password_length=32, exclude_punctuation=True),
    )


def _database(stack: Any, vpc: Any, key: Any, options: Options) -> Any:
    engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17_6)
    parameters = rds.ParameterGroup(
        stack,
        "Parameters",
        engine=engine,
        parameters={
            "rds.force_ssl": "1",
            "max_wal_size": "8192",  # MiB: segments pass through the log
            "log_min_duration_statement": "1000",
            "log_connections": "1",
        },
    )
    return rds.DatabaseInstance(
        stack,
        "Database",
        engine=engine,
        instance_type=ec2.InstanceType(options.database_class),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        publicly_accessible=False,
        multi_az=True,
        database_name="cordwood",
        credentials=rds.Credentials.from_generated_secret("cordwood", encryption_key=key),
        parameter_group=parameters,
        ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
        storage_type=rds.StorageType.GP3,
        allocated_storage=options.database_gib,
        max_allocated_storage=4 * options.database_gib,
        storage_encrypted=True,
        storage_encryption_key=key,
        backup_retention=Duration.days(14),
        copy_tags_to_snapshot=True,
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
        auto_minor_version_upgrade=True,
        enable_performance_insights=True,
        performance_insight_encryption_key=key,
        monitoring_interval=Duration.seconds(60),
        cloudwatch_logs_exports=["postgresql"],
    )
