"""`${aws-secret:NAME}` and `${aws-secret:NAME#KEY}`: secrets of AWS Secrets Manager, `KEY` of one that is JSON.

`NAME` may be an ARN, also of another region or account. Keys come from where boto3 finds them: the role of the task,
function or machine, or AWS_ACCESS_KEY_ID. boto3 is the extra `cordwood[aws]`, imported where a file names a secret.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

MOST = 100  # secrets of one load: each is a request that the start waits for
_ARN = re.compile(r"arn:aws[\w-]*:secretsmanager:([\w-]+):\d{12}:secret:.+")
_HINTS = {
    "AccessDeniedException": "let the role read it: secretsmanager:GetSecretValue, and kms:Decrypt of its key",
    "ResourceNotFoundException": "check the name and the region",
    "UnrecognizedClientException": "check the keys that AWS_ACCESS_KEY_ID or the role gives",
    "NoCredentialsError": "give the task or the machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "NoRegionError": "set AWS_REGION, or write the secret's ARN",
}


class SecretError(Exception):
    """A secret cannot be had: what is wrong, and the mend."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class AwsSecrets:
    """The secrets that one load asks for, each by one request however often it is named."""

    def __init__(self) -> None:
        self._seen: dict[str, str | SecretError] = {}
        self._clients: dict[str | None, Any] = {}

    def value(self, reference: str) -> str:
        """The text of `NAME`, or of a key of it.

        :raises SecretError: there is no such secret or key, or it may not be read
        """
        name, _, key = reference.partition("#")
        if name not in self._seen:
            if len(self._seen) == MOST:
                raise SecretError(f"more than {MOST} secrets of AWS", "keep several in one, as JSON: NAME#KEY")
            try:
                self._seen[name] = self._asked(name)
            except SecretError as why:
                self._seen[name] = why
        found = self._seen[name]
        if isinstance(found, SecretError):
            raise found
        return _of_key(name, key, found) if key else found

    def _asked(self, name: str) -> str:
        if not name:
            raise SecretError("aws-secret names no secret", "write ${aws-secret:NAME} or ${aws-secret:NAME#KEY}")
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise SecretError("aws-secret needs boto3", "pip install 'cordwood[aws]'") from None
        arn = _ARN.fullmatch(name)
        region = arn[1] if arn else os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        try:
            if region not in self._clients:
                patience = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3})
                self._clients[region] = boto3.client("secretsmanager", region_name=region, config=patience)
            answer = self._clients[region].get_secret_value(SecretId=name)
        except ClientError as why:
            raise _refusal(name, why.response["Error"]["Code"]) from None
        except BotoCoreError as why:
            raise _refusal(name, type(why).__name__) from None
        if "SecretString" not in answer:
            raise SecretError(f"the secret {name} holds bytes, not text", "store it as text")
        return str(answer["SecretString"])


def _refusal(name: str, code: str) -> SecretError:
    return SecretError(f"the secret {name} cannot be read: {code}", _HINTS.get(code, ""))


def _of_key(name: str, key: str, text: str) -> str:
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise SecretError(f"the secret {name} is no JSON object", "leave #KEY out")
    if isinstance(held.get(key), dict | list | None):
        raise SecretError(f"the secret {name} has no text or number under the key {key}", "check the key")
    return str(held[key])
