r"""What must not be kept, made unreadable before it is stored: fields, and things that look like secrets.

    parse:
      - {type: clf}
      - {type: redact, fields: [user], patterns: [card, email, token]}
      - {type: redact, fields: [client.ip], action: hash, key: "${REDACT_KEY}"}

A field's value is also taken out of the message, where it stands as a word of its own. `hash` leaves equal values
equal, so that they can still be counted and joined; without the key nobody can try out what they were.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import msgspec
import polars as pl
from pydantic import Field, SecretStr, model_validator

from ..plugins import STANDARD, Batch, Parser, PluginConfig, hookimpl, split_column

PATTERNS = {
    "card": r"\b[0-9](?:[ -]?[0-9]){12,18}\b",
    "email": r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\.[A-Za-z]{2,24}\b",
    "token": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # JSON Web Token, RFC 7519
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # access key of AWS
    r"|\bgh[pousr]_[A-Za-z0-9]{36,255}\b"  # GitHub
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,255}"  # Slack
    r"|\b(?i:bearer|basic) +[A-Za-z0-9._~+/-]{8,}=*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    "password": r"""(?i:\b(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?token))["']?[ \t]*[=:][ \t]*"""
    r"""(?:"[^"]*"|'[^']*'|[^\s"'&,;]+)""",
}
_NAMED = re.compile(r"""^(.*?[=:]\s*["']?)(.*?)(["']?)$""", re.DOTALL)
_COMPILED = {name: re.compile(pattern.replace(r"\z", r"\Z")) for name, pattern in PATTERNS.items()}
_REDACTED = ("service", "host", "source", "message", "trace_id", "span_id", "severity_text")


class RedactConfig(PluginConfig):
    """Settings of redaction: fields, patterns, or both."""

    fields: list[str] = Field([], max_length=100)
    """Fields whose values go."""
    patterns: list[Literal["card", "email", "token", "password"]] = Field([])
    """What is looked for in the message and in every other field: numbers of cards (with the right check digit), e-mail
    addresses, tokens and keys of known makes, and values behind names such as `password=`."""
    action: Literal["mask", "hash"] = "mask"
    """What stands there then: the mask, or a keyed hash (HMAC-SHA-256, the first 32 digits)."""
    mask: str = Field("***", max_length=100)
    """The text in its place."""
    key: SecretStr | None = None
    """The key of `hash`; 16 characters or more."""

    @model_validator(mode="after")
    def _does_something(self) -> RedactConfig:
        if not (self.fields or self.patterns):
            raise ValueError("nothing is redacted: name fields or patterns")
        if wrong := sorted((STANDARD.keys() - set(_REDACTED)) & set(self.fields)):
            raise ValueError(f"{wrong[0]} cannot be redacted; of the standard fields these can: {', '.join(_REDACTED)}")
        if self.action == "hash" and (self.key is None or len(self.key.get_secret_value()) < 16):
            raise ValueError("hash needs a key of 16 characters or more; write one such as ${REDACT_KEY}")
        return self


class Redact(Parser[RedactConfig]):
    """Mask or hash fields, and what looks like a card, an e-mail address or a secret.

    Python an event, but only for events that have such a thing: what is hashed and checked has to be looked at alone.
    """

    def parse(self, batch: Batch) -> Batch:
        """Rows, order and other fields stay; a redacted field is text."""
        frame = batch.frame
        for field in self.config.fields:
            frame = self._without(frame, field)
        columns = {column.name: column for column in frame}
        for name in list(columns) if self.config.patterns else ():
            column = columns[name]
            field, kind = split_column(name, column.dtype)
            if field in self.config.fields or (field in STANDARD and field not in _REDACTED):
                continue
            if kind == "int" and "card" in self.config.patterns:
                text = self._searched(column.cast(pl.String), self._plain)
                if (cards := text != column.cast(pl.String)).any():  # which is text then
                    columns[name] = column.set(cards, None)
                    old = columns.get(f"{field}#text", text.set(~cards, None))
                    columns[f"{field}#text"] = text.zip_with(cards, old)
            elif column.dtype == pl.String:
                columns[name] = self._searched(column, self._in_json if kind == "json" else self._plain)
        return Batch.of(pl.DataFrame(columns))

    def _without(self, frame: pl.DataFrame, field: str) -> pl.DataFrame:
        """The frame without the field's values, in whatever kinds it has, and without them in the message."""
        names = [name for name, dtype in frame.schema.items() if split_column(name, dtype)[0] == field]
        if not names:
            return frame
        text = frame.select(pl.coalesce(frame[name].cast(pl.String) for name in names)).to_series()
        distinct = text.unique().drop_nulls()
        hidden = pl.Series([self._hidden(value) for value in distinct], dtype=pl.String)
        if field != "message" and len(distinct):
            rows = (frame["message"].is_not_null() & text.is_not_null() & (text != "")).arg_true()
            both = zip(frame["message"].gather(rows), text.gather(rows), strict=True)
            told = pl.Series([_taken_out(message, value, self._hidden) for message, value in both], dtype=pl.String)
            frame = frame.with_columns(frame["message"].scatter(rows, told))
        fresh = text.replace_strict(distinct, hidden, default=None, return_dtype=pl.String).alias(field)
        kept = [column for column in frame if column.name not in names]
        return pl.DataFrame([*kept, fresh])

    def _searched(self, text: pl.Series, fresh: Callable[[str], str]) -> pl.Series:
        """The texts, those in which there may be something made afresh."""
        found = text.str.contains("|".join(f"(?:{PATTERNS[name]})" for name in self.config.patterns))
        rows = found.fill_null(value=False).arg_true()
        return text.scatter(rows, pl.Series(map(fresh, text.gather(rows)), dtype=pl.String)) if len(rows) else text

    def _plain(self, text: str) -> str:
        for name in self.config.patterns:
            text = _COMPILED[name].sub(partial(self._replaced, name), text)
        return text

    def _in_json(self, text: str) -> str:
        """JSON that stays JSON: its texts and numbers are looked at one by one, and the names before them."""

        def walk(value: Any) -> Any:
            match value:
                case str():
                    return self._plain(value)
                case int() if not isinstance(value, bool) and self._plain(str(value)) != str(value):
                    return self._plain(str(value))
                case list():
                    return [walk(item) for item in value]
                case dict():
                    return {key: self._hidden(str(item)) if secret(key) else walk(item) for key, item in value.items()}
            return value

        def secret(key: str) -> bool:
            return "password" in self.config.patterns and _COMPILED["password"].fullmatch(f"{key}=x") is not None

        return msgspec.json.encode(walk(msgspec.json.decode(text))).decode()

    def _replaced(self, name: str, found: re.Match[str]) -> str:
        if name == "card" and not _is_card(found[0]):
            return found[0]
        if name == "password" and (named := _NAMED.match(found[0])):
            return named[1] + self._hidden(named[2]) + named[3]
        return self._hidden(found[0])

    def _hidden(self, value: str) -> str:
        if self.config.action == "mask" or self.config.key is None:
            return self.config.mask
        key = self.config.key.get_secret_value().encode()
        return hmac.digest(key, value.encode(), "sha256").hex()[:32]


def _taken_out(message: str, value: str, hidden: Callable[[str], str]) -> str:
    """The message without the value, where it is no part of a longer word."""
    if value not in message:
        return message
    return re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda found: hidden(found[0]), message)


def _is_card(text: str) -> bool:
    """Whether the last digit is the right one: ISO/IEC 7812, the algorithm of Luhn."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


@hookimpl
def cordwood_plugins() -> list[type[Redact]]:
    """Redaction."""
    return [Redact]
