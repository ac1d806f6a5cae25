r"""The severity of events that name it somewhere in the text, or in a field under a name of its own.

    parse:
      - {type: severity}                                    # 12:00 [worker] WARN: slow
      - {type: severity, field: priority, words: {KO: error, OK: info}}

Only events that have no severity yet are looked at.
"""

from __future__ import annotations

import re
from typing import Annotated

import polars as pl
from pydantic import AfterValidator, Field

from ..plugins import STANDARD, Batch, Parser, PluginConfig, hookimpl, severity_number, split_column

_WORDS = (
    "TRACE|DEBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|CRIT|CRITICAL|ALERT|PANIC|EMERG|EMERGENCY"
)
_FIRST = 300  # characters in which a level stands; further behind a word is more likely text
_MARKED = (
    rf"(?i)[\[<(|\"']({_WORDS})[\])>|\"':]|\b(?:level|severity|lvl|loglevel)[\"']?\s*[=:]\s*[\"']?({_WORDS}|[TDIWEF])\b"
)
_SHOUTED = rf"\b({_WORDS})\b"
_BEGINS = rf"(?i)^\s*({_WORDS}):"


def _is_level(word: str) -> str:
    if pl.select(severity_number(pl.lit(word))).item() is None:
        raise ValueError(f"{word!r} is no severity; use one of trace, debug, info, warn, error, fatal")
    return word


class SeverityConfig(PluginConfig):
    """Settings of the severity parser."""

    field: str = Field("message", min_length=1)
    """Where it is looked for. In `message` a word in brackets, behind `level=`, at the beginning before a colon, or in
    capitals counts, the first of them within 300 characters; another field must be the word or number itself."""
    words: dict[Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, AfterValidator(_is_level)]] = Field(
        {}, max_length=100
    )
    """Further words and what they mean, such as `{KO: error}`; in `message` they count as whole words, as written."""


class Severity(Parser[SeverityConfig]):
    """Find the severity of events that have none."""

    def parse(self, batch: Batch) -> Batch:
        """An event in which there is no such word stays as it is, without a `parse_error`."""
        frame, field = batch.frame, self.config.field
        names = [name for name, dtype in frame.schema.items() if split_column(name, dtype)[0] == field]
        if not names or not (open_ := frame["severity"].is_null()).any():
            return batch
        text = frame[names[0]].cast(pl.String, strict=False)
        for name in names[1:]:
            text = text.zip_with(text.is_not_null(), frame[name].cast(pl.String, strict=False))
        word = self._word(text.set(~open_, None)) if field == "message" else text.str.strip_chars()
        own = word.replace_strict(
            list(self.config.words), list(self.config.words.values()), default=None, return_dtype=pl.String
        )
        number = pl.select(severity_number(pl.lit(own.zip_with(own.is_not_null(), word)))).to_series()
        found = open_ & number.is_not_null()
        return Batch(
            frame.with_columns(
                severity=number.cast(STANDARD["severity"]).zip_with(found, frame["severity"]),
                severity_text=word.zip_with(found, frame["severity_text"]),
            )
        )

    def _word(self, text: pl.Series) -> pl.Series:
        """The word in each text: one that is marked as a level before one that only stands there in capitals."""
        start = text.str.head(_FIRST).alias("t").to_frame()
        patterns = [(_BEGINS, 1), (_MARKED, 1), (_MARKED, 2), (_SHOUTED, 1)]
        if self.config.words:
            patterns.insert(0, (rf"\b({'|'.join(map(re.escape, self.config.words))})\b", 1))
        ways = [pl.col("t").str.extract(pattern, group) for pattern, group in patterns]
        return start.select(word=pl.coalesce(ways))["word"]


@hookimpl
def cordwood_plugins() -> list[type[Severity]]:
    """The severity parser."""
    return [Severity]
