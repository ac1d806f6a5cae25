"""The public plugin API. A plugin needs this import and no other of Cordwood; docs/plugins.md shows how."""

from .adopting import adopt
from .arrays import read_array
from .asking import by_clause, quoted_field
from .base import (
    Acknowledgement,
    Checkpoint,
    Detector,
    DetectorConfig,
    DetectorRun,
    Finding,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Json,
    Notification,
    Notifier,
    Outlet,
    Parser,
    Part,
    Place,
    Plugin,
    PluginConfig,
    Receipt,
    Severity,
    Source,
    half_the_cores,
    in_worker,
)
from .batch import Batch, concat
from .columns import Columns
from .durations import Duration, duration_ns
from .errors import (
    CheckpointConflictError,
    ConfigError,
    CordwoodError,
    DeliveryError,
    DeniedError,
    FatalError,
    LimitError,
    PluginError,
    QueryError,
    RejectedError,
    RetryableError,
)
from .fields import ALIASES, STANDARD, UNDERSTOOD, clean_name, split_column
from .hooks import API_VERSION, LoadedPlugin, LoadFailure, Registry, hookimpl, load_plugins
from .layout import Layout
from .lines import split_lines
from .memory import Memory, Seen
from .ndjson import leaves, read_lines, read_ndjson
from .normalise import normalise
from .novelty import Novelty, Sighting, sighting
from .patterns import clustered
from .severity import SYSLOG, SYSLOG_NUMBERS, severity_name, severity_number, severity_rank
from .times import iso_ns, iso_time, now_ns, parse_times, utc_time
from .together import Together
from .wording import group_words, headline, plain_text, sample_messages, value_words

__all__ = [
    "ALIASES",
    "API_VERSION",
    "STANDARD",
    "SYSLOG",
    "SYSLOG_NUMBERS",
    "UNDERSTOOD",
    "Acknowledgement",
    "Batch",
    "Checkpoint",
    "CheckpointConflictError",
    "Columns",
    "ConfigError",
    "CordwoodError",
    "DeliveryError",
    "DeniedError",
    "Detector",
    "DetectorConfig",
    "DetectorRun",
    "Duration",
    "FatalError",
    "Finding",
    "HttpRequest",
    "HttpResponse",
    "HttpSource",
    "Json",
    "Layout",
    "LimitError",
    "LoadFailure",
    "LoadedPlugin",
    "Memory",
    "Notification",
    "Notifier",
    "Novelty",
    "Outlet",
    "Parser",
    "Part",
    "Place",
    "Plugin",
    "PluginConfig",
    "PluginError",
    "QueryError",
    "Receipt",
    "Registry",
    "RejectedError",
    "RetryableError",
    "Seen",
    "Severity",
    "Sighting",
    "Source",
    "Together",
    "adopt",
    "by_clause",
    "clean_name",
    "clustered",
    "concat",
    "duration_ns",
    "group_words",
    "half_the_cores",
    "headline",
    "hookimpl",
    "in_worker",
    "iso_ns",
    "iso_time",
    "leaves",
    "load_plugins",
    "normalise",
    "now_ns",
    "parse_times",
    "plain_text",
    "quoted_field",
    "read_array",
    "read_lines",
    "read_ndjson",
    "sample_messages",
    "severity_name",
    "severity_number",
    "severity_rank",
    "sighting",
    "split_column",
    "split_lines",
    "utc_time",
    "value_words",
]
