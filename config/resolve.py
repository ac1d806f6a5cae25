"""`${NAME}`, `${NAME:-default}`, `${file:/path}` and `${aws-secret:NAME}` in values; `$${` stands for `${` itself.

What comes out is text, and marked as secret: no error, log or page may quote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .aws import AwsSecrets, SecretError
from .tree import Element, Report

_REFERENCE = re.compile(r"\$(\$?)\{([^}]*)\}")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:-)(.*))?", re.DOTALL)


def resolve(
    element: Element, environment: Mapping[str, str], folder: Path, secrets: AwsSecrets, report: Report
) -> Element:
    """The tree with all references replaced. One that leads nowhere is reported, and its element marked as broken."""
    if isinstance(element.value, dict):
        items = {key: resolve(item, environment, folder, secrets, report) for key, item in element.value.items()}
        return replace(element, value=items)
    if isinstance(element.value, tuple):
        parts = (resolve(item, environment, folder, secrets, report) for item in element.value)
        return replace(element, value=tuple(parts))
    if not isinstance(element.value, str) or "${" not in element.value:
        return element
    return _Scalar(element, environment, folder, secrets, report).resolved()


class _Scalar:
    def __init__(
        self, element: Element, environment: Mapping[str, str], folder: Path, secrets: AwsSecrets, report: Report
    ) -> None:
        self._element, self._environment, self._folder, self._report = element, environment, folder, report
        self._secrets = secrets
        self._broken = self._secret = False

    def resolved(self) -> Element:
        text = _REFERENCE.sub(self._replace, self._element.value)
        shown = self._element.written if self._secret else text
        return replace(self._element, value=text, written=shown, secret=self._secret, broken=self._broken)

    def _replace(self, found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        self._secret = True
        body = found[2]
        if body.startswith("file:"):
            return self._file(body.removeprefix("file:"))
        if body.startswith("aws-secret:"):
            return self._aws_secret(body.removeprefix("aws-secret:"))
        named = _NAME.fullmatch(body)
        if not named:
            return self._fail(
                "${…} holds no name of an environment variable",
                "write ${NAME}, ${NAME:-default}, ${file:/path} or ${aws-secret:NAME}; $${ stands for ${ itself",
            )
        name, optional, default = named.groups()
        value = self._environment.get(name)
        if optional:
            return value or default
        if value is None:
            return self._fail(f"the environment variable {name} is not set", f"set it, or write ${{{name}:-default}}")
        return value

    def _file(self, path: str) -> str:
        try:
            return (self._folder / path).read_text("utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as why:
            reason = why.strerror if isinstance(why, OSError) else "it is not UTF-8 text"
            return self._fail(f"the file {path} cannot be read: {reason}", "")

    def _aws_secret(self, reference: str) -> str:
        try:
            return self._secrets.value(reference)
        except SecretError as why:
            return self._fail(str(why), why.hint)

    def _fail(self, message: str, hint: str) -> str:
        self._broken = True
        self._report(self._element.place.error(message, hint))
        return ""
