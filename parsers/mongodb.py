"""Logs of MongoDB: a JSON object a line since 4.4, and the text before.

    parse: [{type: mongodb}]

    {"t":{"$date":"2026-01-31T12:00:00.123+00:00"},"s":"I","c":"NETWORK","id":22943,"ctx":"listener","msg":"accepted"}

Source: MongoDB, "Log Messages", structured logging. What stands under `attr` is kept as `attr.…`.
"""

from __future__ import annotations

import polars as pl

from ..plugins import Batch, hookimpl, parse_times, severity_number
from .forms import Form, FormParser, share
from .json import Json, JsonConfig

_NAMES = {"c": "mongodb.component", "id": "mongodb.id", "ctx": "mongodb.context"}
_LEVELS = {f"d{number}": 5 for number in range(1, 6)}
_JSON = r'^\{ ?"t": ?\{ ?"\$date":'


class Mongodb(FormParser):
    """Take time, severity, component, id, context, message and attributes from a line of MongoDB."""

    what = "a MongoDB log"
    forms = (
        Form.of(
            r"^(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}(?:Z|[+-][0-9]{2}:?[0-9]{2})) "
            r"(?P<severity>[FEWID][1-5]?) (?P<mongodb.component>[A-Z_-]+) +\[(?P<mongodb.context>[^\]\n]*)\] "
            r"(?P<message>(?s:.*))$",
            levels=_LEVELS,
            nothing=("-",),
        ),
    )

    def parse(self, batch: Batch) -> Batch:
        """As the JSON parser understands it, with `t`, `s`, `c`, `id` and `ctx` under names that tell what they are."""
        message = batch.frame["message"]
        structured = message.str.contains(_JSON).fill_null(value=False)
        if not structured.any():
            return super().parse(batch)
        found = _structured(message.set(~structured, None), batch, self.config.timezone.key)
        where = structured & found.frame["timestamp"].is_not_null() & found.frame["message"].is_not_null()
        plain = super().parse(Batch(batch.frame.with_columns(message.set(where, None))))
        result = Batch(plain.frame.with_columns(message.zip_with(where, plain.frame["message"])))
        return result.merged(found, where=where, error=pl.repeat(None, len(batch), dtype=pl.String, eager=True))

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """Either of the two."""
        return super().detect(messages) + share(messages, _JSON)


def _structured(text: pl.Series, batch: Batch, zone: str) -> Batch:
    """The fields of the messages that are objects; the time is null where an object has none."""
    bare = Batch.of(batch.frame.select("observed_timestamp").with_columns(text))
    frame = Json(JsonConfig.model_validate({"timezone": zone})).parse(bare).frame
    text_of = {name: frame[name].cast(pl.String) for name in ("t.$date", "s") if name in frame.columns}
    none = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    word = text_of.get("s", none)
    own = word.str.to_lowercase().replace_strict(_LEVELS, default=None, return_dtype=pl.UInt8)
    number = pl.select(pl.coalesce(own, severity_number(pl.lit(word)))).to_series()
    left = frame.drop("t.$date", "s", strict=False)
    return Batch.of(
        left.rename({old: new for old, new in _NAMES.items() if old in left.columns}).with_columns(
            timestamp=parse_times(text_of.get("t.$date", none)), severity=number, severity_text=word
        )
    )


@hookimpl
def cordwood_plugins() -> list[type[Mongodb]]:
    """The parser of MongoDB's logs."""
    return [Mongodb]
