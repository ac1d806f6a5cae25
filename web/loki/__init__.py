"""Loki's query API, for Grafana: LogQL becomes the query language, the engine runs it, answers are Loki's.

grammar.lark, parser.py → tree.py    text to frozen values; printer.py: back
labels.py                            Loki's names of labels and Cordwood's of fields
logs.py, values.py, templates.py     selector and pipeline to search and stages
samples.py                           range aggregations: `stats` by spans of time, put together to windows
vectors.py                           what is done with series: aggregations, operators, label_replace
evaluate.py                          an expression over an engine
answers.py, times.py, api.py         the endpoints: parameters in, Loki's JSON out
"""

from __future__ import annotations

from . import api, index
from .tail import loki_tail

HANDLERS = (
    api.loki_query,
    api.loki_query_range,
    api.loki_labels,
    api.loki_label_values,
    api.loki_series,
    api.loki_format_query,
    api.loki_buildinfo,
    index.loki_stats,
    index.loki_volume,
    index.loki_volume_range,
    index.loki_patterns,
    index.loki_detected_labels,
    index.loki_detected_fields,
    index.loki_detected_values,
    loki_tail,
)
